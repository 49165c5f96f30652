internal import Glibc
public import SocketAddresses

/// A listening socket that a service manager has opened for this process (`LISTEN_FDS`).
public struct InheritedSocket: Hashable, Sendable {
    /// The descriptor, from 3 on.
    public let descriptor: Int32

    /// What the manager calls it (`LISTEN_FDNAMES`).
    public let name: String?

    /// Where it listens.
    public let address: SocketAddress

    /// The descriptors that the environment gives to a process, with their names; none where it gives none, or gives
    /// them to another process.
    ///
    /// - Throws: where a variable is no number, there are no descriptors, or not as many names as descriptors.
    public static func listed(
        in environment: [String: String], process: Int32
    ) throws(ServiceManagerError) -> [(descriptor: Int32, name: String?)] {
        guard let receiver = try ServiceVariable.number("LISTEN_PID", in: environment), receiver == UInt64(process)
        else { return [] }
        guard let count = try ServiceVariable.number("LISTEN_FDS", in: environment) else { return [] }
        guard (1...1024).contains(count) else {
            throw ServiceVariable.wrong("LISTEN_FDS", "\(count)", "is no number of sockets; 1 to 1024 are possible")
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

    /// Takes the sockets that the environment gives to a process: each is one that listens for TCP connections, and no
    /// program that this one runs inherits it.
    ///
    /// - Returns: the sockets, whose descriptors the caller closes.
    /// - Throws: as `listed`, and where a descriptor is something else, which the error tells.
    public static func take(
        from environment: [String: String], process: Int32
    ) throws(ServiceManagerError) -> [InheritedSocket] {
        var sockets: [InheritedSocket] = []
        for (descriptor, name) in try listed(in: environment, process: process) {
            sockets.append(try InheritedSocket(descriptor: descriptor, name: name))
        }
        return sockets
    }

    /// Looks at a descriptor, which no program that this one runs inherits from here on (`getsockopt`, `fcntl`).
    ///
    /// - Throws: where it is no socket that listens for TCP connections.
    public init(descriptor: Int32, name: String?) throws(ServiceManagerError) {
        self.descriptor = descriptor
        self.name = name
        let reason: String
        do throws(SystemCallError) {
            if let address = try InheritedSocket.listeningAddress(of: descriptor) {
                self.address = address
                return
            }
            reason = "is no socket that listens for TCP connections"
        } catch { reason = "is no listening socket (\(error))" }
        throw ServiceManagerError(
            subject: "descriptor \(descriptor)" + (name.map { " ('\($0)')" } ?? ""),
            reason: "\(reason); the socket unit needs ListenStream=PORT and Accept=no")
    }

    /// Where a TCP socket listens, which is not inherited any further from here on; `nil` where it is another socket.
    private static func listeningAddress(of number: Int32) throws(SystemCallError) -> SocketAddress? {
        let domain = try SocketOption.get(number, SOL_SOCKET, SO_DOMAIN)
        guard try SocketOption.get(number, SOL_SOCKET, SO_TYPE) == Int32(SOCK_STREAM.rawValue),
            domain == AF_INET || domain == AF_INET6,
            try SocketOption.get(number, SOL_SOCKET, SO_PROTOCOL) == Int32(IPPROTO_TCP),
            try SocketOption.get(number, SOL_SOCKET, SO_ACCEPTCONN) == 1
        else { return nil }
        try system("fcntl") { fcntl(number, F_SETFD, FD_CLOEXEC) }
        return try unsafe SystemAddress.read { form, length throws(SystemCallError) in
            _ = try system("getsockname") { unsafe getsockname(number, form, length) }
        }
    }
}
