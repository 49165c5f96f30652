internal import CLibUV

extension PendingOperation {
    /// Returns a closure that cancels the wait for a request, and cancels the request itself if no thread has begun to
    /// serve it.
    ///
    /// The completion of the request is still called, but has no effect.
    func cancellation(of request: UVRequest) -> () -> Void {
        // The operation stores this closure, so a strong reference would create a cycle.
        { [unowned self] in
            try? request.cancel()
            cancel()
        }
    }
}
