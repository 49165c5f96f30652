internal import CLibUV

/// Properties of this process.
public enum UVCurrentProcess {
    /// The identifier of the process (`uv_os_getpid`).
    public static var processID: Int32 { uv_os_getpid() }

    /// The identifier of the parent process (`uv_os_getppid`).
    public static var parentProcessID: Int32 { uv_os_getppid() }

    /// The path of the program (`uv_exepath`).
    ///
    /// - Throws: a system error if the value is not available.
    public static var executablePath: String {
        get throws(UVError) {
            // libuv would silently truncate a path that does not fit, but the system's paths are shorter than this
            // capacity.
            try unsafe SystemText.read("uv_exepath", capacity: 16 * 1024) { unsafe uv_exepath($0, $1) }
        }
    }

    /// The working directory (`uv_cwd`).
    ///
    /// - Throws: `noSuchFile` if the directory has been removed, or `permissionDenied`.
    public static var workingDirectory: String {
        get throws(UVError) { try unsafe SystemText.read("uv_cwd") { unsafe uv_cwd($0, $1) } }
    }

    /// Changes the working directory of the process, for all threads (`uv_chdir`).
    ///
    /// - Throws: a system error, for example `noSuchFile` or `permissionDenied`; `invalidArgument` if the path contains
    ///   a zero byte.
    public static func changeWorkingDirectory(to path: String) throws(UVError) {
        try CStrings.check([path], "uv_chdir")
        try unsafe check(uv_chdir(path), "uv_chdir")
    }

    /// The home directory of the user (`uv_os_homedir`).
    ///
    /// It is the value of `HOME`, or the user's registered directory if `HOME` is not set.
    ///
    /// - Throws: `noSuchFile` if the user has no home directory.
    public static var homeDirectory: String {
        get throws(UVError) { try unsafe SystemText.read("uv_os_homedir") { unsafe uv_os_homedir($0, $1) } }
    }

    /// The directory for temporary files (`uv_os_tmpdir`).
    ///
    /// It is the value of `TMPDIR`, `TMP`, `TEMP` or `TEMPDIR`, or `/tmp` if none of them is set.
    ///
    /// - Throws: no known error, because `/tmp` is always the last resort.
    public static var temporaryDirectory: String {
        get throws(UVError) { try unsafe SystemText.read("uv_os_tmpdir") { unsafe uv_os_tmpdir($0, $1) } }
    }

    /// Returns the priority of a process (`uv_os_getpriority`).
    ///
    /// The default is 0, the highest priority is -20, and the lowest is 19.
    ///
    /// - Parameter processID: the identifier of the process, or 0 for this process.
    /// - Throws: `noSuchProcess` if the process does not exist.
    public static func priority(of processID: Int32 = 0) throws(UVError) -> Int {
        var priority: Int32 = 0
        try unsafe check(uv_os_getpriority(processID, &priority), "uv_os_getpriority")
        return Int(priority)
    }

    /// Sets the priority of a process (`uv_os_setpriority`).
    ///
    /// - Parameters:
    ///   - priority: the priority, from -20 (highest) to 19 (lowest).
    ///   - processID: the identifier of the process, or 0 for this process.
    /// - Throws: `invalidArgument` if the priority is out of range; `permissionDenied` if the priority is higher than
    ///   before and this process lacks the privilege to raise it; `noSuchProcess` if the process does not exist.
    public static func setPriority(_ priority: Int, of processID: Int32 = 0) throws(UVError) {
        try check(uv_os_setpriority(processID, Int32(clamping: priority)), "uv_os_setpriority")
    }
}
