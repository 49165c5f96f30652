internal import CLinux
internal import Glibc

/// A file descriptor, which is closed when this value is destroyed (`close`).
public struct FileDescriptor: ~Copyable, Sendable {
    /// The descriptor's number.
    ///
    /// The caller must not close the descriptor.
    @usableFromInline let number: Int32

    /// Takes ownership of a descriptor.
    init(owning number: Int32) { self.number = number }

    deinit { _ = close(number) }

    /// The descriptor's number, for use in tables and logs.
    @inlinable public var rawValue: Int32 { number }

    /// Transfers ownership of the descriptor to the caller, which must close it.
    public consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }

    /// Reads at most 4096 bytes (`read`).
    ///
    /// The array is empty at the end of the file.
    borrowing func read() throws(SystemCallError) -> [UInt8] {
        try unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count throws(SystemCallError) in
            count = try system("read") { unsafe Glibc.read(number, buffer.baseAddress, buffer.count) }
        }
    }

    /// Writes the whole text to a descriptor, and leaves the descriptor open (`write`).
    static func write(_ text: String, to number: Int32) throws(SystemCallError) {
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            offset += try system("write") {
                unsafe bytes[offset...].withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
            }
        }
    }

    /// Writes the whole text to a descriptor (`write`), and waits while its reader is slow.
    ///
    /// - Throws: the error if a call fails, for example `EINTR` if a signal interrupts the wait.
    static func writeInterruptibly(_ text: String, to number: Int32) throws(SystemCallError) {
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            // A pipe accepts a part of this size either completely or not at all. Therefore a call that a signal
            // interrupts has written nothing, and returns `EINTR`.
            let part = bytes[offset..<min(bytes.count, offset + LineOutput.limit)]
            let written = unsafe part.withUnsafeBytes { unsafe clinux_write_once(number, $0.baseAddress, $0.count) }
            if written >= 0 {
                offset += written
                continue
            }
            guard written == Int(-EAGAIN) else { throw SystemCallError(code: Int32(-written), call: "write") }
            // `EAGAIN` means that the program has inherited the descriptor in non-blocking mode.
            var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
            guard unsafe poll(&entry, 1, -1) >= 0 else { throw SystemCallError(code: errno, call: "poll") }
        }
    }
}
