internal import CLibUV

/// A request for libuv's thread pool, for example to resolve a name or to run work (`uv_req_t`).
///
/// From its submission until its completion, a request keeps itself and its loop alive, and keeps the loop running. A
/// program needs a reference only to cancel the request. The completion is called exactly once, on the loop's thread,
/// and never during the call that submits the request. The closures of the request are then released.
///
/// Use a request only on its loop's thread. The last reference to a completed request may be released on any thread.
@safe
public final class UVRequest {
    /// libuv's structure, which is freed with this object.
    ///
    /// The loop retains the object until libuv has called back.
    private let raw: UnsafeMutablePointer<uv_req_t>

    /// The loop on which the request completes.
    public let loop: UVLoop

    /// The work that the pool runs, if this is a request for work.
    private let work: (() -> Void)?

    private var completion: ((UVRequest, Int32) -> Void)?
    private var isCancelled = false

    private init(
        _ raw: UnsafeMutablePointer<uv_req_t>, on loop: UVLoop, work: (() -> Void)?,
        completion: @escaping (UVRequest, Int32) -> Void
    ) {
        unsafe self.raw = unsafe raw
        self.loop = loop
        self.work = work
        self.completion = completion
    }

    deinit { unsafe UnsafeMutableRawPointer(raw).deallocate() }

    /// The type of the request, for example `getaddrinfo` (`uv_req_get_type`, `uv_req_type_name`).
    public var typeName: String {
        unsafe uv_req_type_name(uv_req_get_type(raw)).map { unsafe String(cString: $0) } ?? "unknown"
    }

    /// Whether the completion has not been called yet.
    public var isPending: Bool {
        loop.assertOnThread()
        return completion != nil
    }

    /// Cancels the request, if no thread has begun to serve it (`uv_cancel`).
    ///
    /// The completion is then called with `cancelled`, in a later iteration of the loop.
    ///
    /// - Throws: `busy` if a thread has begun to serve the request, or if the request has already been cancelled or
    ///   completed. In these cases, the call has no effect.
    public func cancel() throws(UVError) {
        loop.assertOnThread()
        // If a request were cancelled twice, libuv would remove it from the list of completed requests without locking
        // the list.
        guard completion != nil, !isCancelled else { throw UVError(.busy, operation: "uv_cancel") }
        try unsafe check(uv_cancel(raw), "uv_cancel")
        isCancelled = true
    }
}

extension UVRequest {
    /// Allocates a request and passes it to libuv.
    ///
    /// - Parameters:
    ///   - work: the work for the pool, if the request is a `uv_work_t`.
    ///   - start: passes the structure to libuv, with a callback that calls `Trampolines.complete`.
    ///   - completion: called once, with libuv's status. It is not called if this function throws.
    /// - Throws: libuv's error, after freeing the memory; `cancelled` if the loop is closing or closed; an error if the
    ///   threads of the pool cannot be started.
    static func submit<Raw>(
        _ type: Raw.Type, on loop: UVLoop, _ operation: StaticString, work: (() -> Void)? = nil,
        start: (UnsafeMutablePointer<uv_loop_t>, UnsafeMutablePointer<Raw>) -> Int32,
        completion: @escaping (UVRequest, Int32) -> Void
    ) throws(UVError) -> UVRequest {
        try loop.checkOpen("\(operation)")
        try ThreadPool.check("\(operation)")
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Raw>.size, alignment: MemoryLayout<Raw>.alignment)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Raw>.size)
        let typed = unsafe memory.bindMemory(to: Raw.self, capacity: 1)
        // Every request structure begins with the fields of a uv_req_t.
        let raw = unsafe memory.assumingMemoryBound(to: uv_req_t.self)
        let request = unsafe UVRequest(raw, on: loop, work: work, completion: completion)
        // The loop's list retains the object to which this pointer refers.
        unsafe uv_req_set_data(raw, Unmanaged.passUnretained(request).toOpaque())
        try unsafe check(start(loop.raw, typed), "\(operation)")
        unsafe assert(
            uv_req_size(uv_req_get_type(raw)) == MemoryLayout<Raw>.size,
            "the structures of libuv at run time have other sizes than in the header")
        unsafe loop.state.pointee.requests[ObjectIdentifier(request)] = request
        return request
    }

    /// Returns the request as a pointer to its specific structure.
    func cast<Raw>(to type: Raw.Type) -> UnsafeMutablePointer<Raw> {
        unsafe UnsafeMutableRawPointer(raw).assumingMemoryBound(to: type)
    }

    /// Runs the work.
    ///
    /// A thread of the pool calls this function.
    func perform() { work?() }

    /// Removes the request from the loop's list, and calls its completion.
    func complete(_ status: Int32) {
        let completion = self.completion
        self.completion = nil
        unsafe loop.state.pointee.requests[ObjectIdentifier(self)] = nil
        completion?(self, status)
    }
}

extension UVLoop {
    /// Cancels all requests that no thread has begun to serve.
    ///
    /// The completion of each request is still called.
    func cancelRequests() {
        for request in unsafe state.pointee.requests.values { try? request.cancel() }
    }
}
