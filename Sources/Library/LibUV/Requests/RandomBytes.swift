internal import CLibUV

/// Memory that a thread of the pool, or the calling thread, fills with random bytes.
@safe
final class RandomBytes {
    private let memory: UnsafeMutableRawBufferPointer

    /// - Throws: `argumentTooLong` if the number is too large for libuv; `invalidArgument` if the number is negative.
    ///   In both cases, no memory has been allocated.
    init(count: Int) throws(UVError) {
        guard count >= 0 else { throw UVError(.invalidArgument, operation: "uv_random") }
        guard count <= Int(Int32.max) else { throw UVError(.argumentTooLong, operation: "uv_random") }
        unsafe memory = .allocate(byteCount: count, alignment: 1)
    }

    deinit { unsafe memory.deallocate() }

    /// Fills the memory.
    ///
    /// Without a loop and a request, the memory is filled when the function returns. Otherwise it is filled when
    /// `callback` is called.
    func fill(
        _ loop: UnsafeMutablePointer<uv_loop_t>?, _ request: UnsafeMutablePointer<uv_random_t>?,
        _ callback: uv_random_cb?
    ) -> Int32 {
        unsafe uv_random(loop, request, memory.baseAddress, memory.count, 0, callback)
    }

    /// Returns a copy of the bytes.
    var bytes: [UInt8] { unsafe [UInt8](memory) }
}
