internal import Measurements
public import SystemCalls

/// Sends load to one server and measures its replies.
public struct LoadRun: Sendable {
    private let plan: LoadPlan
    private let progress: Monitor<LoadProgress>?
    private let stopCount: @Sendable () -> Int

    /// Makes a run.
    ///
    /// - Parameters:
    ///   - plan: the load.
    ///   - progress: the value that receives intermediate results, twice a second.
    ///   - stopCount: returns the number of stop requests; called after each iteration on the run's thread. After the
    ///     first stop request, the run sends no more requests. After the second stop request, the run does not wait for
    ///     replies either.
    public init(
        _ plan: LoadPlan, progress: Monitor<LoadProgress>? = nil, stopCount: @escaping @Sendable () -> Int = { 0 }
    ) {
        self.plan = plan
        self.progress = progress
        self.stopCount = stopCount
    }

    /// The counters that are read at the beginning and at the end of the measurement.
    private typealias Reading = (time: UInt64, usage: ThreadUsage?, byteCount: Int)

    /// Runs the load on the calling thread.
    ///
    /// - Throws: `LoadError` if the server cannot be reached or the load cannot continue. Wrong replies are part of the
    ///   result and do not throw.
    public func callAsFunction() throws(LoadError) -> LoadResult {
        var engine = try LoadEngine.open(plan.connections, isBulk: plan.pace == .bulk) { stopCount() > 0 }
        // The traffic starts slightly in the future, so that its first request is not late.
        let span = self.span(from: MonotonicTime.nanoseconds() &+ (plan.isPaced ? 1_000_000 : 0))
        var result = LoadResult(plan, measuredFrom: span.measuredFrom)
        let traffic = try plan.traffic
        result.startSeconds = WallClock.secondsSince1970 + plan.warmUp / .seconds(1)
        try engine.begin(traffic, over: span)
        try turn(&engine, &result, until: span.measuredFrom)
        let before = (max(engine.now, span.measuredFrom), ThreadUsage.current(), engine.checker.verifiedByteCount)
        let queuedBefore = engine.pacer.queuedCount
        try turn(&engine, &result, until: span.end)
        let after = (engine.now, ThreadUsage.current(), engine.checker.verifiedByteCount)
        let unsent = try finish(&engine, &result)
        conclude(&result, before, after)
        result.queuedCount = engine.pacer.queuedCount - queuedBefore
        result.unsentCount = unsent
        result.faults = engine.faults
        result.isInterrupted = stopCount() > 0
        return result
    }

    private func span(from start: UInt64) -> TrafficSpan {
        let measuredFrom = start &+ min(plan.warmUp.nanoseconds, 1 << 60)
        return TrafficSpan(
            start: start, measuredFrom: measuredFrom,
            end: plan.duration.map { measuredFrom &+ min($0.nanoseconds, 1 << 60) } ?? .max, count: plan.count ?? .max)
    }

    /// Runs iterations of the engine until a given time, or until nothing is left to send.
    private func turn(
        _ engine: inout LoadEngine, _ result: inout LoadResult, until end: UInt64
    ) throws(LoadError) {
        let timeout = plan.connections.timeout.nanoseconds
        var nextReport = progress == nil ? .max : engine.now
        while engine.now < end, !engine.isExhausted, stopCount() == 0, engine.silence < timeout {
            try engine.turn(until: min(end, engine.now &+ 100_000_000))
            engine.takeSamples { result.record($0) }
            // The time is checked first, because unwrapping `progress` would retain the object in each iteration.
            if engine.now >= nextReport, let progress {
                nextReport = engine.now &+ 500_000_000
                report(progress, engine, result)
            }
        }
    }

    private func report(_ progress: Monitor<LoadProgress>, _ engine: borrowing LoadEngine, _ result: LoadResult) {
        let (byteCount, elapsed) = (engine.checker.verifiedByteCount, engine.measuredFor)
        progress.withLock { progress in
            progress.requestCount = result.count
            progress.byteCount = byteCount
            progress.elapsed = elapsed
            progress.median = result.response.quantile(at: .p50) ?? 0
            progress.p99 = result.count >= 1000 ? result.response.quantile(at: .p99) ?? 0 : 0
        }
    }

    /// Sends the requests that are still due, waits for the replies, and closes the connections.
    ///
    /// - Returns: the number of requests that were due but never sent.
    private func finish(_ engine: inout LoadEngine, _ result: inout LoadResult) throws(LoadError) -> Int {
        if plan.isPaced {
            let time = engine.now
            try turn(&engine, &result, until: time &+ min(plan.connections.timeout.nanoseconds, .max - time))
        }
        let unsent = stopCount() == 0 ? engine.pacer.unsentCount : 0
        try engine.finish { stopCount() > 1 }
        engine.takeSamples { result.record($0) }
        return unsent
    }

    private func conclude(_ result: inout LoadResult, _ before: Reading, _ after: Reading) {
        // In the closed loop, a request is sent when it is due. Its response time is therefore equal to its service
        // time.
        if !plan.isPaced { result.service = result.response }
        let wall = after.time > before.time ? after.time - before.time : 0
        // In an open or closed loop, the measured period includes replies that arrive after the end of the traffic. In
        // bulk, the measured period ends with the traffic.
        let end = plan.pace == .bulk ? after.time : max(result.lastReceived, plan.isPaced ? after.time : 0)
        result.elapsed = .nanoseconds(Int64(clamping: end > before.time ? end - before.time : 0))
        result.byteCount = after.byteCount - before.byteCount
        guard wall > 0, let first = before.usage, let last = after.usage else { return }
        result.busyShare = Double(last.processorTime - first.processorTime) / Double(wall)
        result.delayedShare = Double(last.runDelay - first.runDelay) / Double(wall)
    }
}
