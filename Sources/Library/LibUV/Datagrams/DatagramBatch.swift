internal import CLibUV

/// The memory for receiving several datagrams with one system call (`recvmmsg`).
///
/// A loop has one such block of memory, which is allocated when the first batch is received. libuv divides it into
/// parts of 64 KiB, and fills at most 20 of them. The loop's read buffer cannot be used instead, because the program
/// chooses its size, and libuv would spin if the buffer were smaller than one part.
@safe
struct DatagramBatch: ~Copyable {
    static var byteCount: Int { 20 * 64 * 1024 }
    private var memory: UnsafeMutablePointer<CChar>?

    init() { unsafe memory = nil }

    deinit { unsafe memory?.deallocate() }

    /// Lends the memory for one receive operation.
    mutating func lend() -> uv_buf_t {
        if unsafe memory == nil { unsafe memory = .allocate(capacity: Self.byteCount) }
        return unsafe uv_buf_init(memory, UInt32(Self.byteCount))
    }
}
