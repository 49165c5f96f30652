internal import CLibUV

/// A user of the machine (`uv_passwd_t`).
public struct UVUser: Hashable, Sendable {
    /// The login name.
    public let name: String
    /// The identifier of the user.
    public let id: UInt32
    /// The identifier of the user's primary group.
    public let groupID: UInt32
    /// The home directory of the user.
    public let homeDirectory: String
    /// The login shell, or an empty text if there is none.
    public let shell: String

    /// The user as which the process runs (`uv_os_get_passwd`).
    ///
    /// Callable from any thread.
    ///
    /// - Throws: `noSuchFile` if the user is not registered, which is common in containers.
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
