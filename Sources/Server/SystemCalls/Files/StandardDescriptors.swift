internal import CLinux

/// The standard descriptors 0, 1 and 2.
public enum StandardDescriptors {
    /// Opens the null device on each standard descriptor that is closed.
    ///
    /// Otherwise the kernel would give the number to the next socket, and the program would send its log or its output
    /// to a peer. A program calls this function before it opens a descriptor or starts a thread.
    ///
    /// - Throws: the system's error, if neither the null device nor a socket can be opened, for example `EMFILE`.
    public static func open() throws(SystemCallError) {
        let status = clinux_open_standard_descriptors()
        if status < 0 { throw SystemCallError(code: -status, call: "open /dev/null") }
    }
}
