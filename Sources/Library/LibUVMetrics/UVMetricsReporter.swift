public import CoreMetrics
public import LibUV

/// Tells the program's backend of swift-metrics how a loop is doing, until it is stopped.
///
/// All metrics have the dimension `loop`, the name that is given here:
///
/// | label | kind | what |
/// |---|---|---|
/// | `uv_loop_iterations` | counter | rounds of the loop |
/// | `uv_loop_iteration_duration` | timer, ns | how long a round kept the loop busy: its time less the time it waited for I/O |
/// | `uv_loop_lag` | timer, ns | how late the reporter's own timer was called |
/// | `uv_loop_utilization` | gauge, 0 to 1 | which part of the last period the loop did not wait |
/// | `uv_loop_read_bytes`, `uv_loop_written_bytes` | counter | what the loop's streams have read and written |
/// | `uv_loop_handles` | gauge | open handles, without the reporter's own |
/// | `uv_loop_buffers` | gauge | write buffers, by the dimension `state`: `pooled`, `held`, `in_flight` |
/// | `uv_loop_refused_tasks` | counter | pieces of tasks that were refused, see `UVLoop.refusedTaskCount` |
///
/// Durations of rounds come as they happen, all else once in a period. The reporter's handles do not keep the loop running.
///
/// What it costs: a callback, a look at the clock and a record of a timer in each round; one more wake-up in each period, with
/// a walk over all handles; and one more system call in each round that waits, since libuv measures how long it waits by
/// asking first without waiting. Metrics are recorded on the loop's thread: a backend that blocks delays the loop.
///
/// A reporter belongs to its loop's thread, is not `Sendable`, and lives until `stop` or the loop's close, referenced or not.
public final class UVMetricsReporter {
    private let loop: UVLoop
    private let period: Duration
    private let instruments: LoopInstruments
    private let prepare: UVPrepare
    private let timer: UVTimer

    /// When the round began, by the clock and by the time that the loop has waited.
    private var roundStart: LoopMoment?
    private var periodStart: LoopMoment
    private var reported: LoopTotals
    private var roundCount: Int64 = 0
    private var timerDue: Duration = .zero
    private var isStopped = false

    /// Begins to report on a loop, on the loop's thread.
    ///
    /// Give each loop a name of its own: two reporters with one name would be counted as one.
    ///
    /// - Parameters:
    ///   - loop: what to report on.
    ///   - name: the value of the dimension `loop`.
    ///   - period: how often, rounded up to milliseconds, at least one.
    ///   - factory: where the metrics are made; the one that the program bootstrapped, unless told otherwise.
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public init(
        on loop: UVLoop, name: String, every period: Duration = .seconds(1),
        factory: any MetricsFactory = MetricsSystem.factory, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        self.loop = loop
        self.period = max(period, .milliseconds(1))
        try loop.measureIdleTime()
        prepare = try UVPrepare(on: loop, file: file, line: line)
        do throws(UVError) { timer = try UVTimer(on: loop, file: file, line: line) } catch {
            prepare.close()
            throw error
        }
        instruments = LoopInstruments(loopName: name, factory: factory)
        periodStart = LoopMoment(of: loop)
        reported = LoopTotals(of: loop)
        prepare.unref()
        timer.unref()
        do throws(UVError) { try prepare.start { _ in self.roundBegins() } } catch {
            stop()
            throw error
        }
    }

    /// Reports for the last time, and lets go of the loop; on the loop's thread.
    ///
    /// Stop before the loop closes: its close would name the reporter's handles among those that nobody had closed. The
    /// handles close in the loop's next round. Gauges are given up, since nobody sets them any more; counters and timers
    /// keep what they have counted. Stopping again does nothing.
    public func stop() {
        guard !isStopped else { return }
        isStopped = true
        // On a loop that has closed there is nothing left to look at, and the handles closed with it.
        if !prepare.isClosing { report() }
        instruments.retireGauges()
        prepare.close()
        timer.close()
    }

    /// Right before the loop waits: what happened since the last time was one round.
    private func roundBegins() {
        let now = LoopMoment(of: loop)
        if let roundStart {
            instruments.iterationDuration.recordNanoseconds(now.busyTime(since: roundStart).busy.nanoseconds)
            roundCount += 1
        } else {
            // Not before: the time from the start of the reporter to that of the loop is no lag.
            startTimer()
        }
        roundStart = now
    }

    private func startTimer() {
        loop.updateTime()
        // It fails on a handle that is closing, and then nobody calls this.
        try? timer.start(after: period, repeating: period) { _ in self.periodEnds() }
        timerDue = loop.now + timer.dueIn
    }

    private func periodEnds() {
        // The timer has been started again already, counting from the loop's time as it is here.
        instruments.lag.recordNanoseconds(max(.zero, UVSystem.monotonicTime - timerDue).nanoseconds)
        timerDue = loop.now + timer.dueIn
        report()
    }

    private func report() {
        let totals = LoopTotals(of: loop)
        instruments.count(from: reported, to: totals, rounds: roundCount)
        (reported, roundCount) = (totals, 0)
        let now = LoopMoment(of: loop)
        let (busy, passed) = now.busyTime(since: periodStart)
        instruments.record(busy: busy, of: passed)
        periodStart = now
        var handleCount = 0
        loop.walk { if $0 !== prepare, $0 !== timer { handleCount += 1 } }
        instruments.record(handleCount: handleCount, ledger: loop.ledger)
    }
}
