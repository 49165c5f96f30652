internal import CLibUV

extension UVCurrentProcess {
    /// The title under which the process is listed, for example by `ps` (`uv_get_process_title`).
    ///
    /// - Throws: `noBufferSpace` if libuv cannot find the arguments of the process in memory.
    public static var title: String {
        get throws(UVError) {
            _ = arguments
            return try unsafe SystemText.read("uv_get_process_title") { unsafe uv_get_process_title($0, $1.pointee) }
        }
    }

    /// Changes the title under which the process is listed (`uv_set_process_title`).
    ///
    /// On Linux, the title overwrites the arguments of the process in memory, and is truncated if it is longer than the
    /// arguments. Swift's `CommandLine.arguments` stays unchanged, but `CommandLine.unsafeArgv` does not.
    ///
    /// - Throws: `noBufferSpace` if libuv cannot find the arguments of the process in memory; `invalidArgument` if the
    ///   title contains a zero byte.
    public static func setTitle(_ title: String) throws(UVError) {
        try CStrings.check([title], "uv_set_process_title")
        _ = arguments
        try unsafe check(uv_set_process_title(title), "uv_set_process_title")
    }

    /// A copy of the arguments, made once before the title overwrites them.
    ///
    /// Making the copy also tells libuv where the arguments are (`uv_setup_args`).
    private static let arguments: [String] = {
        let arguments = CommandLine.arguments
        let count = CommandLine.argc
        let list = unsafe CommandLine.unsafeArgv
        // libuv assumes that the arguments are adjacent in memory, as the kernel has placed them.
        for index in 1..<max(1, Int(count)) {
            guard let before = unsafe list[index - 1], let next = unsafe list[index],
                unsafe before + Int(strlen(before)) + 1 == next
            else { return arguments }
        }
        // libuv owns the copy that it returns.
        unsafe _ = uv_setup_args(count, list)
        return arguments
    }()
}
