internal import CLibUV

/// The environment of this process.
///
/// It belongs to the whole process, and C guards it with no lock: change it early, before other threads read it.
public enum UVEnvironment {
    /// All variables (`uv_os_environ`).
    ///
    /// - Throws: where there is no memory for the list.
    public static var all: [String: String] {
        get throws(UVError) {
            var items: UnsafeMutablePointer<uv_env_item_t>?
            var count: Int32 = 0
            try unsafe check(uv_os_environ(&items, &count), "uv_os_environ")
            defer { unsafe uv_os_free_environ(items, count) }
            var all: [String: String] = [:]
            for index in 0..<Int(count) {
                guard let item = unsafe items.map({ unsafe $0[index] }) else { break }
                // Where a name is there twice, the first is the one that C finds.
                let name = unsafe String(cString: item.name)
                if all[name] == nil { all[name] = unsafe String(cString: item.value) }
            }
            return all
        }
    }

    /// The value of a variable (`uv_os_getenv`); `nil` where it is not set.
    ///
    /// - Throws: `invalidArgument` for a name with a zero in it.
    public static func value(of name: String) throws(UVError) -> String? {
        try CStrings.check([name], "uv_os_getenv")
        do throws(UVError) {
            return try unsafe SystemText.read("uv_os_getenv") { unsafe uv_os_getenv(name, $0, $1) }
        } catch {
            if error.is(.noSuchFile) { return nil }
            throw error
        }
    }

    /// Sets a variable (`uv_os_setenv`).
    ///
    /// - Throws: `invalidArgument` for a name that is empty or contains `=`, or a text with a zero in it.
    public static func set(_ name: String, to value: String) throws(UVError) {
        try CStrings.check([name, value], "uv_os_setenv")
        try unsafe check(uv_os_setenv(name, value), "uv_os_setenv")
    }

    /// Removes a variable (`uv_os_unsetenv`); one that is not set stays so.
    ///
    /// - Throws: `invalidArgument` for a name that is empty or contains `=` or a zero.
    public static func remove(_ name: String) throws(UVError) {
        try CStrings.check([name], "uv_os_unsetenv")
        try unsafe check(uv_os_unsetenv(name), "uv_os_unsetenv")
    }
}
