import SocketAddresses
import SystemCalls

/// Makes the error message for an address on which the program cannot listen.
enum ListenAdvice {
    /// Describes the failure, and advises the user what to do.
    ///
    /// - Parameters:
    ///   - code: the error number.
    ///   - message: the system's description of the error.
    ///   - host: the name of the option that sets the host.
    ///   - port: the name of the option that sets the port.
    static func describe(
        _ address: SocketAddress, code: Int32, _ message: String, host: String, port: String
    ) -> String {
        let advice =
            switch code {
            case Errno.addressInUse:
                "stop the program that uses the port, or set another port with \(port) (0 picks a free port)"
            case Errno.permissionDenied: "set a port above 1023 with \(port), or grant CAP_NET_BIND_SERVICE"
            case Errno.noDescriptor: "raise the limit on open descriptors, for example with 'ulimit -n 1024'"
            case Errno.noMemory, Errno.noSystemDescriptor, Errno.tryAgain: "free resources of the machine"
            case Errno.addressNotAvailable: "set an address of this machine with \(host)"
            default: host == port ? "check \(port)" : "check \(host) and \(port)"
            }
        return "cannot listen on \(address): \(message.lowercasedFirst); \(advice)"
    }
}

extension String {
    /// The text with its first letter in lower case, because it follows a colon.
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
