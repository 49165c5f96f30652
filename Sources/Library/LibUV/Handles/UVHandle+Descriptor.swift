internal import CLibUV

// The only access to the descriptor of a handle.
extension UVHandle {
    /// Calls `body` with the handle's descriptor (`uv_fileno`).
    ///
    /// The handle still owns the descriptor, so do not close or store it.
    ///
    /// - Throws: `badDescriptor` if the handle has no descriptor yet or is closing; `invalidArgument` if handles of
    ///   this kind never have a descriptor.
    public final func withUnsafeDescriptor<Outcome>(_ body: (Int32) -> Outcome) throws(UVError) -> Outcome {
        assertOnThread()
        return body(try unsafe fileDescriptor(of: raw))
    }
}
