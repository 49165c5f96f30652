internal import Measurements
internal import SystemCalls

/// Puts one server under load and measures it.
public struct LoadRun: Sendable {
    private let plan: LoadPlan
    private let progress: LoadProgress?
    private let stopCount: @Sendable () -> Int

    /// Makes a run.
    ///
    /// - Parameters:
    ///   - plan: what to do.
    ///   - progress: where to tell how it is getting on, twice a second.
    ///   - stopCount: how many times it has been told to stop, asked again and again on its thread: once, and it sends no
    ///     more; twice, and it waits for no answer either.
    public init(_ plan: LoadPlan, progress: LoadProgress? = nil, stopCount: @escaping @Sendable () -> Int = { 0 }) {
        self.plan = plan
        self.progress = progress
        self.stopCount = stopCount
    }

    /// What is read when requests begin to count, and when they end.
    private struct Reading {
        var time: UInt64
        var figures: ThreadUsage?
        var byteCount: Int
    }

    /// Runs the load on the calling thread.
    ///
    /// - Throws: where the server cannot be reached, or the load cannot go on; what is wrong with answers is no error.
    public func callAsFunction() throws(LoadError) -> LoadResult {
        var engine = try LoadEngine.open(plan.connections, isBulk: plan.pace == .bulk)
        // The first slot is not late for being due at once.
        let span = self.span(from: MonotonicTime.nanoseconds() &+ (plan.isPaced ? 1_000_000 : 0))
        var tally = LoadTally(plan, measuredFrom: span.measuredFrom)
        let traffic = try plan.traffic
        let clock = WallClock.secondsSince1970 + plan.warmUp / .seconds(1)
        try engine.begin(traffic, over: span)
        try turn(&engine, &tally, until: span.measuredFrom)
        let before = Reading(
            time: max(engine.time, span.measuredFrom), figures: .current(), byteCount: engine.verifiedByteCount)
        let queuedBefore = engine.queuedCount
        try turn(&engine, &tally, until: span.end)
        let after = Reading(time: engine.time, figures: .current(), byteCount: engine.verifiedByteCount)
        let unsent = try finish(&engine, &tally, span)
        var result = LoadResult(plan, tally)
        conclude(&result, before, after, tally)
        result.queuedCount = engine.queuedCount - queuedBefore
        result.unsentCount = unsent
        result.faults = engine.faults
        result.startSeconds = clock
        result.isInterrupted = stopCount() > 0
        return result
    }

    private func span(from start: UInt64) -> TrafficSpan {
        let measuredFrom = start &+ min(plan.warmUp.nanoseconds, 1 << 60)
        var span = TrafficSpan(start: start, measuredFrom: measuredFrom)
        if let duration = plan.duration { span.end = measuredFrom &+ min(duration.nanoseconds, 1 << 60) }
        if let count = plan.count { span.count = count }
        return span
    }

    /// Turns the engine until a time, or until there is nothing more to do.
    private func turn(
        _ engine: inout LoadEngine, _ tally: inout LoadTally, until end: UInt64
    ) throws(LoadError) {
        let timeout = plan.connections.timeout.nanoseconds
        var nextReport = engine.time
        while engine.time < end, !engine.isExhausted, stopCount() == 0, engine.silence < timeout {
            try engine.turn(until: min(end, engine.time &+ 100_000_000))
            engine.takeRecords { tally.record($0) }
            if let progress, engine.time >= nextReport {
                nextReport = engine.time &+ 500_000_000
                report(progress, engine, tally)
            }
        }
    }

    private func report(_ progress: LoadProgress, _ engine: borrowing LoadEngine, _ tally: borrowing LoadTally) {
        progress.publish(
            .init(
                requestCount: tally.count, byteCount: engine.verifiedByteCount, elapsed: engine.measuredFor,
                median: tally.quantile(.p50), p99: tally.count >= 1000 ? tally.quantile(.p99) : 0))
    }

    /// Sends what is still due, waits for what is in flight, and ends the connections.
    ///
    /// - Returns: how many requests were due and never sent.
    private func finish(
        _ engine: inout LoadEngine, _ tally: inout LoadTally, _ span: TrafficSpan
    ) throws(LoadError) -> Int {
        if plan.isPaced {
            let (end, overflows) = engine.time.addingReportingOverflow(plan.connections.timeout.nanoseconds)
            try turn(&engine, &tally, until: overflows ? .max : end)
        }
        let unsent = stopCount() == 0 ? engine.unsentCount : 0
        try engine.finish { stopCount() > 1 }
        engine.takeRecords { tally.record($0) }
        return unsent
    }

    private func conclude(_ result: inout LoadResult, _ before: Reading, _ after: Reading, _ tally: LoadTally) {
        let wall = after.time > before.time ? after.time - before.time : 0
        // Streams are cut off; requests that count are awaited, beyond the end too.
        let end = plan.pace == .bulk ? after.time : max(tally.lastReceived, plan.isPaced ? after.time : 0)
        result.elapsed = .nanoseconds(Int64(clamping: end > before.time ? end - before.time : 0))
        result.byteCount = after.byteCount - before.byteCount
        guard wall > 0, let first = before.figures, let last = after.figures else { return }
        result.busyShare = Double(last.processorTime - first.processorTime) / Double(wall)
        result.delayedShare = Double(last.runDelay - first.runDelay) / Double(wall)
    }
}
