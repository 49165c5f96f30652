internal import CLibUV

/// The memory that datagrams are received into where many come with one system call (`recvmmsg`).
///
/// One for a loop, made when the first batch is received. libuv cuts it into places of 64 KiB, and fills at most 20.
/// With less than one place it would ask for nothing again and again, which is why the loop's read buffer, whose
/// size is the program's to choose, is not used for this.
@safe
struct DatagramBatch: ~Copyable {
    static var byteCount: Int { 20 * 64 * 1024 }
    private var memory: UnsafeMutablePointer<CChar>?

    init() { unsafe memory = nil }

    deinit { unsafe memory?.deallocate() }

    /// The memory, for one receipt.
    mutating func lend() -> uv_buf_t {
        if unsafe memory == nil { unsafe memory = .allocate(capacity: Self.byteCount) }
        return unsafe uv_buf_init(memory, UInt32(Self.byteCount))
    }
}
