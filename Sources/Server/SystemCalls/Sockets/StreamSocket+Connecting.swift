internal import CLinux
internal import Glibc
public import SocketAddresses

extension StreamSocket {
    /// Starts to connect, without waiting for the connection (`socket`, `connect`).
    ///
    /// The socket is non-blocking and has `TCP_NODELAY`. It becomes writable once it is connected or connecting has
    /// failed; see `connectFailure`.
    ///
    /// - Parameters:
    ///   - address: the server's address.
    ///   - source: the local address and port (`SO_REUSEADDR`, `bind`). With `nil`, the kernel chooses the address and
    ///     the port.
    /// - Throws: the error of the call that failed, for example `EADDRNOTAVAIL` from `connect` if no port is free.
    public static func startConnecting(
        to address: SocketAddress, from source: SocketAddress? = nil
    ) throws(SystemCallError) -> StreamSocket {
        let socket = StreamSocket(try FileDescriptor(socketFor: address, flags: Int32(SOCK_NONBLOCK.rawValue)))
        let number = socket.rawValue
        try SocketOption.set(number, Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
        if let source { try SystemAddress.bind(number, to: source) }
        try unsafe SystemAddress.with(address) { form, length throws(SystemCallError) in
            let status = unsafe Glibc.connect(number, form, length)
            let code = errno
            if status < 0, code != EINPROGRESS { throw SystemCallError(code: code, call: "connect") }
        }
        return socket
    }

    /// Returns the error of a failed connection attempt, or `nil` if the attempt has not failed so far (`SO_ERROR`).
    public static func connectFailure(on number: Int32) -> SystemCallError? {
        guard let code = try? SocketOption.get(number, SOL_SOCKET, SO_ERROR), code != 0 else { return nil }
        return SystemCallError(code: code, call: "connect")
    }
}
