internal import CLibUV

/// A request that libuv's thread pool serves (`uv_req_t`): a name to resolve, work, random bytes.
///
/// From its submission until its completion a request keeps itself and its loop alive, and keeps the loop running:
/// nobody need hold it. Hold it to cancel it. The completion is called exactly once, on the loop's thread and never
/// within the call that submits; what the request captured is released then.
///
/// A request belongs to its loop's thread; only the last reference to a completed one may be dropped anywhere.
@safe
public final class UVRequest {
    /// libuv's structure, which is freed with this object: the loop holds it until libuv has called back.
    private let raw: UnsafeMutablePointer<uv_req_t>

    /// The loop that the request completes on.
    public let loop: UVLoop

    /// What the pool does for a request of work.
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

    /// What libuv calls the request's type, as in `getaddrinfo` (`uv_req_get_type`, `uv_req_type_name`).
    public var typeName: String {
        unsafe uv_req_type_name(uv_req_get_type(raw)).map { unsafe String(cString: $0) } ?? "unknown"
    }

    /// Whether the completion is still to come.
    public var isPending: Bool {
        loop.assertOnThread()
        return completion != nil
    }

    /// Cancels the request, where no thread has begun to serve it (`uv_cancel`).
    ///
    /// The completion still comes, in a later round of the loop, with `cancelled`.
    ///
    /// - Throws: `busy` where a thread serves the request already, or it has been cancelled or completed: then
    ///   nothing changes, and the completion comes, or has come, as it would have.
    public func cancel() throws(UVError) {
        loop.assertOnThread()
        // libuv would take a request that it has cancelled off its list of completed ones, without that list's lock.
        guard completion != nil, !isCancelled else { throw UVError(.busy, operation: "uv_cancel") }
        try unsafe check(uv_cancel(raw), "uv_cancel")
        isCancelled = true
    }
}

extension UVRequest {
    /// Allocates a request and gives it to libuv.
    ///
    /// - Parameters:
    ///   - work: what the pool is to do, for `uv_work_t`.
    ///   - start: gives the structure to libuv, with a callback that calls `Trampolines.complete`.
    ///   - completion: called with libuv's status, once; not where this throws.
    /// - Throws: what libuv answered, with the memory freed; `cancelled` on a loop that is closing or closed.
    static func submit<Raw>(
        _ type: Raw.Type, on loop: UVLoop, _ operation: StaticString, work: (() -> Void)? = nil,
        start: (UnsafeMutablePointer<uv_loop_t>, UnsafeMutablePointer<Raw>) -> Int32,
        completion: @escaping (UVRequest, Int32) -> Void
    ) throws(UVError) -> UVRequest {
        try loop.checkOpen("\(operation)")
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Raw>.size, alignment: MemoryLayout<Raw>.alignment)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Raw>.size)
        let typed = unsafe memory.bindMemory(to: Raw.self, capacity: 1)
        // Every request begins with the fields of a uv_req_t.
        let raw = unsafe memory.assumingMemoryBound(to: uv_req_t.self)
        let request = unsafe UVRequest(raw, on: loop, work: work, completion: completion)
        // The loop's list is the reference that this pointer stands on.
        unsafe uv_req_set_data(raw, Unmanaged.passUnretained(request).toOpaque())
        try unsafe check(start(loop.raw, typed), "\(operation)")
        unsafe assert(
            uv_req_size(uv_req_get_type(raw)) == MemoryLayout<Raw>.size,
            "the structures of libuv at run time have other sizes than in the header")
        unsafe loop.state.pointee.requests[ObjectIdentifier(request)] = request
        return request
    }

    /// The request as the structure that it was submitted with.
    func cast<Raw>(to type: Raw.Type) -> UnsafeMutablePointer<Raw> {
        unsafe UnsafeMutableRawPointer(raw).assumingMemoryBound(to: type)
    }

    /// Does the work, on a thread of the pool.
    func perform() { work?() }

    /// Takes the request from the loop's list, and calls its completion.
    func complete(_ status: Int32) {
        let completion = self.completion
        self.completion = nil
        unsafe loop.state.pointee.requests[ObjectIdentifier(self)] = nil
        completion?(self, status)
    }
}

extension UVLoop {
    /// Cancels what no thread has begun to serve; each completion still comes.
    func cancelRequests() {
        for request in unsafe state.pointee.requests.values { try? request.cancel() }
    }
}
