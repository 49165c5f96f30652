internal import CLibUV

extension UVLoop {
    /// A list of the loop's handles for a person to read, libuv's own and the loop's included: a line for each, with
    /// `R` where it keeps the loop running, `A` where it is active, `I` where it is internal, then its type and its
    /// place in memory (`uv_print_all_handles`, `uv_print_active_handles`).
    ///
    /// - Parameter onlyActive: whether to leave out those that are not active.
    /// - Returns: the list; empty on a closed loop.
    public func listHandles(onlyActive: Bool = false) -> String {
        assertOnThread()
        guard unsafe !state.pointee.isClosed else { return "" }
        var text: UnsafeMutablePointer<CChar>?
        var size = 0
        guard let stream = unsafe open_memstream(&text, &size) else { return "" }
        if onlyActive { unsafe uv_print_active_handles(raw, stream) } else { unsafe uv_print_all_handles(raw, stream) }
        // The text is there, ended by a zero, once the stream is closed, and is ours to free.
        unsafe fclose(stream)
        defer { unsafe free(text) }
        return unsafe text.map { unsafe String(cString: $0) } ?? ""
    }

    /// What the loop has done so far (`uv_metrics_info`).
    ///
    /// - Throws: `unimplemented` with a libuv before 1.45.
    public var metrics: UVLoopMetrics {
        get throws(UVError) {
            assertOnThread()
            var (rounds, events, waiting): (UInt64, UInt64, UInt64) = (0, 0, 0)
            try unsafe check(cuv_metrics_info(raw, &rounds, &events, &waiting), "uv_metrics_info")
            return UVLoopMetrics(roundCount: rounds, eventCount: events, waitingEventCount: waiting)
        }
    }
}

/// What a loop has done so far (`uv_metrics_t`).
public struct UVLoopMetrics: Hashable, Sendable {
    /// How many rounds it has made.
    public let roundCount: UInt64
    /// How many events it has handled.
    public let eventCount: UInt64
    /// How many of those had been waiting when it asked for them.
    public let waitingEventCount: UInt64
}
