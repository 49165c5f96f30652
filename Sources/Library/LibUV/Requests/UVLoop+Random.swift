internal import CLibUV

extension UVLoop {
    /// Gets cryptographically secure random bytes on a thread of libuv's pool (`uv_random`).
    ///
    /// Soon after the operating system has started, it may lack entropy. In that case, the request waits for entropy on
    /// a thread of the pool, whereas `UVSystem.randomBytes` would block the calling thread.
    ///
    /// - Parameters:
    ///   - byteCount: the number of bytes, less than 2 GiB.
    ///   - completion: called once on the loop's thread, with the bytes, a system error, or `cancelled`.
    /// - Returns: the request, which the program can cancel.
    /// - Throws: `argumentTooLong` if the number is too large; `invalidArgument` if it is negative; `cancelled` if the
    ///   loop is closing or closed. If the call throws, `completion` is not called.
    @discardableResult
    public func random(
        byteCount: Int, completion: @escaping (Result<[UInt8], UVError>) -> Void
    ) throws(UVError) -> UVRequest {
        let bytes = try RandomBytes(count: byteCount)
        return try unsafe UVRequest.submit(uv_random_t.self, on: self, "uv_random") { loop, raw in
            unsafe bytes.fill(loop, raw, Trampolines.onRandom)
        } completion: { _, status in
            completion(status < 0 ? .failure(UVError(code: status, operation: "uv_random")) : .success(bytes.bytes))
        }
    }
}

extension UVSystem {
    /// Returns cryptographically secure random bytes, and blocks while the system lacks entropy (`uv_random`).
    ///
    /// Callable from any thread.
    ///
    /// - Parameter count: the number of bytes, less than 2 GiB.
    /// - Throws: `argumentTooLong` if the number is too large; `invalidArgument` if it is negative; otherwise a system
    ///   error.
    public static func randomBytes(count: Int) throws(UVError) -> [UInt8] {
        let bytes = try RandomBytes(count: count)
        try unsafe check(bytes.fill(nil, nil, nil), "uv_random")
        return bytes.bytes
    }
}
