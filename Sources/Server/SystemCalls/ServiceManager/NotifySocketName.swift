internal import Glibc

/// The name of the Unix datagram socket on which a service manager receives notifications (`NOTIFY_SOCKET`).
public struct NotifySocketName: Hashable, Sendable {
    /// The bytes of the `sockaddr_un`, up to the end of the name.
    let form: [UInt8]

    /// The limit on the length of a name, in bytes.
    public static var longestName: Int { MemoryLayout<sockaddr_un>.size - MemoryLayout<sa_family_t>.size }

    /// Reads the name, or returns `nil` if the variable is not set.
    ///
    /// - Throws: if the name is too long, or is neither an absolute path nor an abstract name (`@`).
    public init?(environment: [String: String]) throws(ServiceManagerError) {
        guard let name = environment["NOTIFY_SOCKET"] else { return nil }
        try self.init(name)
    }

    /// Makes an address from a path, for example `/run/systemd/notify`, or from an abstract name, for example `@name`.
    ///
    /// - Throws: the errors of `init(environment:)`.
    public init(_ name: String) throws(ServiceManagerError) {
        func wrong(_ reason: String) -> ServiceManagerError { ServiceVariable.wrong("NOTIFY_SOCKET", name, reason) }
        var bytes = Array(name.utf8)
        guard bytes.count > 1, bytes[0] == UInt8(ascii: "/") || bytes[0] == UInt8(ascii: "@") else {
            throw wrong("must be an absolute path, or '@' and an abstract name")
        }
        guard bytes.count <= NotifySocketName.longestName else {
            throw wrong("is too long; the limit is \(NotifySocketName.longestName) bytes")
        }
        // An abstract name begins with a zero byte and has no terminator.
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        let family = UInt16(AF_UNIX)
        form = [UInt8](unsafe withUnsafeBytes(of: family) { unsafe Array($0) }) + bytes
    }
}
