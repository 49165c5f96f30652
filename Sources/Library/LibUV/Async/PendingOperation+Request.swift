internal import CLibUV

extension PendingOperation {
    /// What cancels an operation that is a request: the waiting, and the request where no thread serves it yet.
    ///
    /// The request's completion still comes, and finds nobody.
    func cancellation(of request: UVRequest) -> () -> Void {
        // What this returns is the operation's own, which would otherwise keep itself.
        { [unowned self] in
            try? request.cancel()
            cancel()
        }
    }
}
