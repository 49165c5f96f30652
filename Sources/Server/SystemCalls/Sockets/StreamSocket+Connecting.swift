internal import CLinux
internal import Glibc
public import SocketAddresses

extension StreamSocket {
    /// Begins to connect, and does not wait (`socket`, `connect`): the socket does not block, and is writable once it is
    /// connected or has failed, which the next call on it tells.
    ///
    /// - Parameters:
    ///   - address: where to.
    ///   - source: an own address and port to connect from (`SO_REUSEADDR`, `bind`); `nil` leaves both to the kernel.
    /// - Throws: `SystemCallError` of the call that failed, as `connect` with `EADDRNOTAVAIL` where no port is left.
    public static func startConnecting(
        to address: SocketAddress, from source: SocketAddress? = nil
    ) throws(SystemCallError) -> StreamSocket {
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = StreamSocket(FileDescriptor(owning: try system("socket") { Glibc.socket(family, type, 0) }))
        let number = socket.rawValue
        try SocketOption.set(number, Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
        if let source {
            try SocketOption.set(number, SOL_SOCKET, SO_REUSEADDR, Int32(1))
            try unsafe SystemAddress.with(source) { form, length throws(SystemCallError) in
                _ = try system("bind") { unsafe bind(number, form, length) }
            }
        }
        try unsafe SystemAddress.with(address) { form, length throws(SystemCallError) in
            let status = unsafe Glibc.connect(number, form, length)
            let code = errno
            if status < 0, code != EINPROGRESS { throw SystemCallError(code: code, call: "connect") }
        }
        return socket
    }

    /// Why a connect that was begun has failed (`SO_ERROR`); `nil` where it has not, or not yet.
    public static func connectFailure(on number: Int32) -> SystemCallError? {
        guard let code = try? SocketOption.get(number, SOL_SOCKET, SO_ERROR), code != 0 else { return nil }
        return SystemCallError(code: code, call: "connect")
    }
}
