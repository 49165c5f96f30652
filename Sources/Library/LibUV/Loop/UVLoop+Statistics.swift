internal import CLibUV

/// The counters of a loop, which start at zero when the loop is made.
public struct UVLoopStatistics: Hashable, Sendable {
    /// The number of bytes that all streams of the loop have read.
    public let readByteCount: UInt64

    /// The number of bytes that all streams of the loop have written.
    public let writtenByteCount: UInt64

    /// The numbers of the loop's buffers by state, at the time at which `statistics` was read.
    public let buffers: UVBufferCounts

    /// The number of times that a call on another thread has woken the loop.
    ///
    /// Each wake-up is a write to a descriptor.
    public let wakeUpCount: Int

    /// libuv's counters, or `nil` if libuv is older than 1.45 (`uv_metrics_info`).
    public let events: Events?

    /// libuv's counters (`uv_metrics_t`).
    public struct Events: Hashable, Sendable {
        /// The number of iterations.
        public let iterationCount: UInt64

        /// The number of events that the loop has handled.
        public let handledCount: UInt64

        /// The number of handled events that were already waiting when the loop polled for them.
        public let waitingCount: UInt64
    }
}

extension UVLoop {
    /// What the loop has counted since it was made.
    ///
    /// Each access reads all counters and takes a lock. After the loop has closed, the counters keep their last values,
    /// except `events`, which is `nil`.
    public var statistics: UVLoopStatistics {
        checkThread("statistics")
        unsafe pool.pointee.absorbReturned()
        return unsafe UVLoopStatistics(
            readByteCount: cell.pointee.bytes_read, writtenByteCount: cell.pointee.bytes_written,
            buffers: pool.pointee.counts, wakeUpCount: remote.withLock { $0.wakeUpCount }, events: events)
    }

    private var events: UVLoopStatistics.Events? {
        var (iterations, handled, waiting): (UInt64, UInt64, UInt64) = (0, 0, 0)
        guard unsafe !state.pointee.isClosed, unsafe cuv_metrics_info(raw, &iterations, &handled, &waiting) == 0 else {
            return nil
        }
        return UVLoopStatistics.Events(iterationCount: iterations, handledCount: handled, waitingCount: waiting)
    }
}
