internal import CLibUV

extension UVCurrentProcess {
    /// The title under which the process is listed, as by `ps` (`uv_get_process_title`).
    ///
    /// - Throws: `noBufferSpace` where the process' arguments are not where libuv looks for them.
    public static var title: String {
        get throws(UVError) {
            _ = arguments
            return try unsafe SystemText.read("uv_get_process_title") { unsafe uv_get_process_title($0, $1.pointee) }
        }
    }

    /// Changes the title under which the process is listed (`uv_set_process_title`).
    ///
    /// On Linux it is written over the process' arguments, and cut where it is longer than those were. Swift's
    /// `CommandLine.arguments` keep what they were; `CommandLine.unsafeArgv` does not.
    ///
    /// - Throws: `noBufferSpace` where the process' arguments are not where libuv looks for them; `invalidArgument`
    ///   for a title with a zero in it.
    public static func setTitle(_ title: String) throws(UVError) {
        try CStrings.check([title], "uv_set_process_title")
        _ = arguments
        try unsafe check(uv_set_process_title(title), "uv_set_process_title")
    }

    /// The arguments, kept before the title is written over them; made once, and libuv told then of their place
    /// (`uv_setup_args`).
    private static let arguments: [String] = {
        let arguments = CommandLine.arguments
        let count = CommandLine.argc
        let list = unsafe CommandLine.unsafeArgv
        // libuv takes the arguments to be one after the other, as the kernel has laid them out.
        for index in 1..<max(1, Int(count)) {
            guard let before = unsafe list[index - 1], let next = unsafe list[index],
                unsafe before + Int(strlen(before)) + 1 == next
            else { return arguments }
        }
        // The copy that libuv returns is its own.
        unsafe _ = uv_setup_args(count, list)
        return arguments
    }()
}
