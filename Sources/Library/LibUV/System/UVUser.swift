internal import CLibUV

/// A user of the machine (`uv_passwd_t`).
public struct UVUser: Hashable, Sendable {
    /// The name to log in with.
    public let name: String
    /// The user's number.
    public let id: UInt32
    /// The number of the user's first group.
    public let groupID: UInt32
    /// The user's own directory.
    public let homeDirectory: String
    /// The program that a log-in starts; empty where there is none.
    public let shell: String

    /// The user that the process runs as (`uv_os_get_passwd`); callable from any thread.
    ///
    /// - Throws: `noSuchFile` where the user is not registered, as often in containers.
    public static var current: UVUser {
        get throws(UVError) {
            var user = unsafe uv_passwd_t()
            try unsafe check(uv_os_get_passwd(&user), "uv_os_get_passwd")
            defer { unsafe uv_os_free_passwd(&user) }
            return unsafe UVUser(
                name: text(user.username), id: UInt32(truncatingIfNeeded: user.uid),
                groupID: UInt32(truncatingIfNeeded: user.gid), homeDirectory: text(user.homedir),
                shell: text(user.shell))
        }
    }

    private static func text(_ characters: UnsafeMutablePointer<CChar>?) -> String {
        unsafe characters.map { unsafe String(cString: $0) } ?? ""
    }
}
