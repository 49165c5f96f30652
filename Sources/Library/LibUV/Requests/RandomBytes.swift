internal import CLibUV

/// Memory that random bytes are written into, by a thread of the pool or at once.
@safe
final class RandomBytes {
    private let memory: UnsafeMutableRawBufferPointer

    /// - Throws: `argumentTooLong` beyond what libuv takes, before anything is allocated; `invalidArgument` for a
    ///   negative number.
    init(count: Int) throws(UVError) {
        guard count >= 0 else { throw UVError(.invalidArgument, operation: "uv_random") }
        guard count <= Int(Int32.max) else { throw UVError(.argumentTooLong, operation: "uv_random") }
        unsafe memory = .allocate(byteCount: count, alignment: 1)
    }

    deinit { unsafe memory.deallocate() }

    /// Fills the memory: at once without a loop and a request, else when the callback comes.
    func fill(
        _ loop: UnsafeMutablePointer<uv_loop_t>?, _ request: UnsafeMutablePointer<uv_random_t>?,
        _ callback: uv_random_cb?
    ) -> Int32 {
        unsafe uv_random(loop, request, memory.baseAddress, memory.count, 0, callback)
    }

    /// A copy of the bytes.
    var bytes: [UInt8] { unsafe [UInt8](memory) }
}
