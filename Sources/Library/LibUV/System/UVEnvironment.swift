internal import CLibUV

/// The environment variables of this process.
///
/// The whole process shares the environment, and C does not protect it with a lock. Therefore change it early, before
/// other threads read it.
public enum UVEnvironment {
    /// All variables (`uv_os_environ`).
    ///
    /// - Throws: an error if there is not enough memory for the list.
    public static var all: [String: String] {
        get throws(UVError) {
            var items: UnsafeMutablePointer<uv_env_item_t>?
            var count: Int32 = 0
            try unsafe check(uv_os_environ(&items, &count), "uv_os_environ")
            defer { unsafe uv_os_free_environ(items, count) }
            var all: [String: String] = [:]
            for index in 0..<Int(count) {
                guard let item = unsafe items.map({ unsafe $0[index] }) else { break }
                // If a name occurs twice, keep the first value, which is the value that `getenv` returns.
                let name = unsafe String(cString: item.name)
                if all[name] == nil { all[name] = unsafe String(cString: item.value) }
            }
            return all
        }
    }

    /// Returns the value of a variable, or `nil` if the variable is not set (`uv_os_getenv`).
    ///
    /// - Throws: `invalidArgument` if the name contains a zero byte.
    public static func value(of name: String) throws(UVError) -> String? {
        try CStrings.check([name], "uv_os_getenv")
        do throws(UVError) {
            return try unsafe SystemText.read("uv_os_getenv") { unsafe uv_os_getenv(name, $0, $1) }
        } catch {
            if error.code == .noSuchFile { return nil }
            throw error
        }
    }

    /// Sets a variable (`uv_os_setenv`).
    ///
    /// - Throws: `invalidArgument` if the name is empty or contains `=`, or if the name or the value contains a zero
    ///   byte.
    public static func set(_ name: String, to value: String) throws(UVError) {
        try CStrings.check([name, value], "uv_os_setenv")
        try unsafe check(uv_os_setenv(name, value), "uv_os_setenv")
    }

    /// Removes a variable, if it is set (`uv_os_unsetenv`).
    ///
    /// - Throws: `invalidArgument` if the name is empty, or contains `=` or a zero byte.
    public static func remove(_ name: String) throws(UVError) {
        try CStrings.check([name], "uv_os_unsetenv")
        try unsafe check(uv_os_unsetenv(name), "uv_os_unsetenv")
    }
}
