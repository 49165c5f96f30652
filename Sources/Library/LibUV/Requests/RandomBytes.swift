internal import CLibUV

/// The memory for random bytes, which a thread of the pool or the caller fills.
@safe
final class RandomBytes {
    private let memory: UnsafeMutableRawBufferPointer

    /// - Throws: `argumentTooLong` if libuv does not support the number, before allocating memory; `invalidArgument` if
    ///   the number is negative.
    init(count: Int) throws(UVError) {
        guard count >= 0 else { throw UVError(.invalidArgument, operation: "uv_random") }
        guard count <= Int(Int32.max) else { throw UVError(.argumentTooLong, operation: "uv_random") }
        unsafe memory = .allocate(byteCount: count, alignment: 1)
    }

    deinit { unsafe memory.deallocate() }

    /// Fills the memory.
    ///
    /// Without a loop and a request, it is filled immediately, and otherwise before the callback.
    func fill(
        _ loop: UnsafeMutablePointer<uv_loop_t>?, _ request: UnsafeMutablePointer<uv_random_t>?,
        _ callback: uv_random_cb?
    ) -> Int32 {
        unsafe uv_random(loop, request, memory.baseAddress, memory.count, 0, callback)
    }

    /// Returns a copy of the bytes.
    var bytes: [UInt8] { unsafe [UInt8](memory) }
}
