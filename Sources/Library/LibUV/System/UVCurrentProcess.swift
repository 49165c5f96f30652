internal import CLibUV

/// The process itself.
public enum UVCurrentProcess {
    /// Its number (`uv_os_getpid`).
    public static var processID: Int32 { uv_os_getpid() }

    /// The number of the process that started it (`uv_os_getppid`).
    public static var parentProcessID: Int32 { uv_os_getppid() }

    /// The path of its program (`uv_exepath`).
    ///
    /// - Throws: the system's code, where it does not tell.
    public static var executablePath: String {
        get throws(UVError) {
            // libuv cuts a longer path without a word; the system has none that is longer.
            try unsafe SystemText.read("uv_exepath", capacity: 16 * 1024) { unsafe uv_exepath($0, $1) }
        }
    }

    /// Its working directory (`uv_cwd`).
    ///
    /// - Throws: `noSuchFile` where it has been removed, or `permissionDenied`.
    public static var workingDirectory: String {
        get throws(UVError) { try unsafe SystemText.read("uv_cwd") { unsafe uv_cwd($0, $1) } }
    }

    /// Changes its working directory, for all its threads (`uv_chdir`).
    ///
    /// - Throws: `noSuchFile`, `permissionDenied` or the like; `invalidArgument` for a path with a zero in it.
    public static func changeWorkingDirectory(to path: String) throws(UVError) {
        try CStrings.check([path], "uv_chdir")
        try unsafe check(uv_chdir(path), "uv_chdir")
    }

    /// The user's own directory: the environment's `HOME`, or else the one that is registered (`uv_os_homedir`).
    ///
    /// - Throws: `noSuchFile` where the user has none.
    public static var homeDirectory: String {
        get throws(UVError) { try unsafe SystemText.read("uv_os_homedir") { unsafe uv_os_homedir($0, $1) } }
    }

    /// The directory for temporary files: the environment's `TMPDIR`, `TMP`, `TEMP` or `TEMPDIR`, or else `/tmp`
    /// (`uv_os_tmpdir`).
    ///
    /// - Throws: nothing that is known: there is always a last resort.
    public static var temporaryDirectory: String {
        get throws(UVError) { try unsafe SystemText.read("uv_os_tmpdir") { unsafe uv_os_tmpdir($0, $1) } }
    }

    /// The priority of a process: 0 is the usual one, -20 the highest, 19 the lowest (`uv_os_getpriority`).
    ///
    /// - Parameter processID: which process; 0 means this one.
    /// - Throws: `noSuchProcess`.
    public static func priority(of processID: Int32 = 0) throws(UVError) -> Int {
        var priority: Int32 = 0
        try unsafe check(uv_os_getpriority(processID, &priority), "uv_os_getpriority")
        return Int(priority)
    }

    /// Sets the priority of a process (`uv_os_setpriority`).
    ///
    /// - Parameters:
    ///   - priority: from -20, the highest, to 19.
    ///   - processID: which process; 0 means this one.
    /// - Throws: `invalidArgument` for a number out of that range, `permissionDenied` for a higher priority without
    ///   the privilege, `noSuchProcess`.
    public static func setPriority(_ priority: Int, of processID: Int32 = 0) throws(UVError) {
        try check(uv_os_setpriority(processID, Int32(clamping: priority)), "uv_os_setpriority")
    }
}
