internal import Glibc

/// Where a service manager wants to be told things: the name of a Unix datagram socket (`NOTIFY_SOCKET`).
public struct NotifySocketName: Hashable, Sendable {
    /// The address in the system's form (`sockaddr_un`), as long as the name needs.
    let form: [UInt8]

    /// How many bytes a name may have.
    public static var longestName: Int { MemoryLayout<sockaddr_un>.size - MemoryLayout<sa_family_t>.size }

    /// Reads the name; `nil` where the variable is not set.
    ///
    /// - Throws: where the name is neither an absolute path nor an abstract name (`@`), or too long.
    public init?(environment: [String: String]) throws(ServiceManagerError) {
        guard let name = environment["NOTIFY_SOCKET"] else { return nil }
        try self.init(name)
    }

    /// Makes an address of a name: `/run/systemd/notify`, or `@name` for an abstract one.
    ///
    /// - Throws: as `init(environment:)`.
    public init(_ name: String) throws(ServiceManagerError) {
        func wrong(_ reason: String) -> ServiceManagerError { ServiceVariable.wrong("NOTIFY_SOCKET", name, reason) }
        var bytes = Array(name.utf8)
        guard bytes.count > 1, bytes[0] == UInt8(ascii: "/") || bytes[0] == UInt8(ascii: "@") else {
            throw wrong("is no socket; it must be an absolute path, or '@' and an abstract name")
        }
        guard bytes.count <= NotifySocketName.longestName else {
            throw wrong("is too long for a socket; at most \(NotifySocketName.longestName) bytes are possible")
        }
        // An abstract name begins with a zero, and its length tells where it ends.
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        let family = UInt16(AF_UNIX)
        form = [UInt8](unsafe withUnsafeBytes(of: family) { unsafe Array($0) }) + bytes
    }
}
