internal import CLinux
internal import Glibc
public import SocketAddresses

/// A listening socket that a service manager has passed to this process (`LISTEN_FDS`).
public struct InheritedSocket: Hashable, Sendable {
    /// The descriptor, 3 or above.
    public let descriptor: Int32

    /// The name that the service manager has given to the socket (`LISTEN_FDNAMES`).
    public let name: String?

    /// The address that the socket listens on.
    public let address: SocketAddress

    /// Returns the descriptors and names that the environment lists for a process.
    ///
    /// The result is empty if the environment lists no descriptors, or lists them for another process.
    ///
    /// - Throws: `ServiceManagerError` if a variable is not a number, if the number of descriptors is not between 1 and
    ///   1024, or if the number of names differs from the number of descriptors.
    public static func listed(
        in environment: [String: String], process: Int32
    ) throws(ServiceManagerError) -> [(descriptor: Int32, name: String?)] {
        guard let receiver = try ServiceVariable.number("LISTEN_PID", in: environment), receiver == UInt64(process)
        else { return [] }
        guard let count = try ServiceVariable.number("LISTEN_FDS", in: environment) else { return [] }
        guard (1...1024).contains(count) else {
            throw ServiceVariable.wrong("LISTEN_FDS", "\(count)", "must be the number of sockets, from 1 to 1024")
        }
        let names = try names(environment, count: Int(count))
        return (0..<Int(count)).map { (descriptor: Int32($0) + 3, name: names?[$0]) }
    }

    private static func names(
        _ environment: [String: String], count: Int
    ) throws(ServiceManagerError) -> [String]? {
        guard let text = environment["LISTEN_FDNAMES"] else { return nil }
        let names = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard names.count == count else {
            throw ServiceVariable.wrong("LISTEN_FDNAMES", text, "has \(names.count) names for \(count) sockets")
        }
        return names
    }

    /// Returns the sockets that the environment lists for a process, and sets close-on-exec on each.
    ///
    /// - Returns: the sockets. The caller must close their descriptors.
    /// - Throws: the errors of `listed`, and an error for a descriptor that is not a listening TCP socket.
    public static func take(
        from environment: [String: String], process: Int32
    ) throws(ServiceManagerError) -> [InheritedSocket] {
        try listed(in: environment, process: process).map { descriptor, name throws(ServiceManagerError) in
            try InheritedSocket(descriptor: descriptor, name: name)
        }
    }

    /// Checks a descriptor and sets close-on-exec on it (`getsockopt`, `fcntl`).
    ///
    /// - Throws: `ServiceManagerError` if the descriptor is not a listening TCP socket.
    public init(descriptor: Int32, name: String?) throws(ServiceManagerError) {
        self.descriptor = descriptor
        self.name = name
        let reason: String
        do throws(SystemCallError) {
            if let address = try InheritedSocket.listeningAddress(of: descriptor) {
                self.address = address
                return
            }
            reason = "is not a listening TCP socket"
        } catch { reason = "is not a listening socket (\(error))" }
        throw ServiceManagerError(
            subject: "descriptor \(descriptor)" + (name.map { " ('\($0)')" } ?? ""),
            reason: "\(reason); the socket unit needs ListenStream=PORT and Accept=no")
    }

    /// Sets close-on-exec on a listening TCP socket and returns its address, or returns `nil` for a socket of another
    /// kind.
    private static func listeningAddress(of number: Int32) throws(SystemCallError) -> SocketAddress? {
        let domain = try SocketOption.get(number, SOL_SOCKET, SO_DOMAIN)
        guard try SocketOption.get(number, SOL_SOCKET, SO_TYPE) == Int32(SOCK_STREAM.rawValue),
            domain == AF_INET || domain == AF_INET6,
            try SocketOption.get(number, SOL_SOCKET, SO_PROTOCOL) == Int32(IPPROTO_TCP),
            try SocketOption.get(number, SOL_SOCKET, SO_ACCEPTCONN) == 1
        else { return nil }
        try system("fcntl") { fcntl(number, F_SETFD, FD_CLOEXEC) }
        return try SystemAddress.local(of: number)
    }
}
