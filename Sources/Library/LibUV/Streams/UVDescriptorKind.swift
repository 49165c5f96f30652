internal import CLibUV

/// The kind of a descriptor, which determines the handle that can adopt it (`uv_handle_type`).
public enum UVDescriptorKind: Hashable, Sendable {
    /// A TCP socket, for a `UVTCPStream`, or for a `UVTCPListener` if it listens.
    case tcp
    /// A pipe or a Unix domain stream socket, for a `UVPipe`, or for a `UVPipeListener` if it is a listening socket.
    case pipe
    /// A terminal, for a `UVTTY`.
    case tty
    /// A UDP socket, for a `UVUDP`.
    case udp
    /// A regular file, or a device that is not a terminal. A stream rejects such a descriptor, because the kernel
    /// usually cannot watch it.
    case file
    /// Another kind of file, for example a directory, or an invalid descriptor.
    case unknown

    /// Determines the kind of a descriptor (`uv_guess_handle`).
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

    /// Throws an error for a descriptor that a stream cannot wait for.
    ///
    /// libuv would abort the process when it tried to wait for such a descriptor.
    static func checkStream(_ descriptor: Int32, _ operation: String) throws(UVError) {
        switch UVDescriptorKind(of: descriptor) {
        case .tcp, .pipe, .tty: return
        case .udp, .file, .unknown:
            throw UVError(SystemDescriptor.isOpen(descriptor) ? .invalidArgument : .badDescriptor, operation: operation)
        }
    }
}
