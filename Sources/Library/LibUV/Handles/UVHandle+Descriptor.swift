internal import CLibUV

// The one clearly named place where something of the system shows: the descriptor of a handle.
extension UVHandle {
    /// Calls `body` with the handle's descriptor (`uv_fileno`), which stays the handle's: do not close or keep it.
    ///
    /// - Throws: `badDescriptor` on a handle that has none yet or is closing; `invalidArgument` on one of a kind
    ///   that never has one.
    public final func withUnsafeDescriptor<Outcome>(_ body: (Int32) -> Outcome) throws(UVError) -> Outcome {
        assertOnThread()
        return body(try unsafe fileDescriptor(of: raw))
    }
}
