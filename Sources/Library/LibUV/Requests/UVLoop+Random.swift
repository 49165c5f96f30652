internal import CLibUV

extension UVLoop {
    /// Random bytes that are fit for cryptography, taken by a thread of libuv's pool (`uv_random`).
    ///
    /// The operating system may block for want of entropy early after its start; `UVSystem.randomBytes` then blocks
    /// the thread.
    ///
    /// - Parameters:
    ///   - byteCount: how many, at most 2 GiB less one.
    ///   - completion: called once on the loop's thread: with the bytes, with what the system answered, or with
    ///     `cancelled`.
    /// - Returns: the request, to cancel it.
    /// - Throws: `argumentTooLong` for more bytes than that, `invalidArgument` for a negative number, `cancelled` on
    ///   a loop that is closing or closed; `completion` is not called then.
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
    /// Random bytes that are fit for cryptography (`uv_random`); blocks where the system has no entropy yet.
    ///
    /// Callable from any thread.
    ///
    /// - Parameter count: how many, at most 2 GiB less one.
    /// - Throws: `argumentTooLong` for more bytes than that, `invalidArgument` for a negative number, or what the
    ///   system answered.
    public static func randomBytes(count: Int) throws(UVError) -> [UInt8] {
        let bytes = try RandomBytes(count: count)
        try unsafe check(bytes.fill(nil, nil, nil), "uv_random")
        return bytes.bytes
    }
}
