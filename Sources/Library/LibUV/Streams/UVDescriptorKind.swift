internal import CLibUV

/// What a descriptor is, and so which handle can take it over (`uv_handle_type`).
public enum UVDescriptorKind: Hashable, Sendable {
    /// A stream socket of the Internet protocol: `UVTCPStream`, or `UVTCPListener` where it listens.
    case tcp
    /// A Unix domain stream socket or a pipe: `UVPipe`, or `UVPipeListener` where it is a socket that listens.
    case pipe
    /// A terminal: `UVTTY`.
    case tty
    /// A datagram socket of the Internet protocol.
    case udp
    /// A regular file, or a device that is no terminal; no stream, since it is always ready.
    case file
    /// Something else, such as a directory, or no descriptor at all.
    case unknown

    /// Looks at a descriptor (`uv_guess_handle`).
    public init(of descriptor: Int32) { self.init(uv_guess_handle(descriptor)) }

    init(_ type: uv_handle_type) {
        switch type {
        case UV_TCP: self = .tcp
        case UV_NAMED_PIPE: self = .pipe
        case UV_TTY: self = .tty
        case UV_UDP: self = .udp
        case UV_FILE: self = .file
        default: self = .unknown
        }
    }

    /// Refuses a descriptor that a stream cannot wait for: libuv would end the process when it tries to.
    static func checkStream(_ descriptor: Int32, _ operation: String) throws(UVError) {
        switch UVDescriptorKind(of: descriptor) {
        case .tcp, .pipe, .tty: return
        case .udp, .file, .unknown:
            throw UVError(SystemDescriptor.isOpen(descriptor) ? .invalidArgument : .badDescriptor, operation: operation)
        }
    }
}
