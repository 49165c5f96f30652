internal import CLibUV

extension UVLoop {
    /// Gets cryptographically secure random bytes on a thread of libuv's pool (`uv_random`).
    ///
    /// Soon after its start, the operating system may block because it lacks entropy. `UVSystem.randomBytes` would then
    /// block the thread.
    ///
    /// - Parameters:
    ///   - byteCount: the number of bytes, which is less than 2 GiB.
    ///   - completion: called once on the loop's thread, with the bytes, the error of the system, or `cancelled`.
    /// - Returns: the request, with which the program can cancel it.
    /// - Throws: `argumentTooLong` if the number is too large; `invalidArgument` if it is negative; `cancelled` if the
    ///   loop is closing or closed. `completion` is then not called.
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
    /// - Parameter count: the number of bytes, which is less than 2 GiB.
    /// - Throws: `argumentTooLong` if the number is too large; `invalidArgument` if it is negative; otherwise the error
    ///   of the system.
    public static func randomBytes(count: Int) throws(UVError) -> [UInt8] {
        let bytes = try RandomBytes(count: count)
        try unsafe check(bytes.fill(nil, nil, nil), "uv_random")
        return bytes.bytes
    }
}
