internal import Glibc

/// Functions for small text files, for example the kernel's files under `/proc`.
public enum TextFile {
    /// Reads a whole file, and replaces invalid UTF-8 with U+FFFD (`open`, `read`).
    public static func read(_ path: String) throws(SystemCallError) -> String {
        let file = FileDescriptor(owning: try system("open") { unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC) })
        var text: [UInt8] = []
        while true {
            let part = try file.read()
            if part.isEmpty { return String(decoding: text, as: UTF8.self) }
            text += part
        }
    }

    /// Replaces the contents of a file (`open`, `write`).
    public static func write(_ text: String, to path: String) throws(SystemCallError) {
        let file = FileDescriptor(
            owning: try system("open") { unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) })
        try FileDescriptor.write(text, to: file.rawValue)
    }

    /// The names in a directory, in no particular order (`opendir`, `readdir`).
    ///
    /// The names `.` and `..` are left out.
    public static func names(in directory: String) throws(SystemCallError) -> [String] {
        guard let stream = unsafe opendir(directory) else { throw SystemCallError(code: errno, call: "opendir") }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The target of a symbolic link (`readlink`).
    public static func destination(ofLink path: String) throws(SystemCallError) -> String {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = try system("readlink") {
            unsafe bytes.withUnsafeMutableBufferPointer { buffer in
                unsafe buffer.withMemoryRebound(to: CChar.self) { characters in
                    unsafe characters.baseAddress.map { unsafe readlink(path, $0, characters.count) } ?? 0
                }
            }
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// The working directory (`/proc/self/cwd`).
    public static func currentDirectory() throws(SystemCallError) -> String {
        try destination(ofLink: "/proc/self/cwd")
    }
}
