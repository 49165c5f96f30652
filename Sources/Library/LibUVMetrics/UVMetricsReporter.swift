public import CoreMetrics
public import LibUV

/// Reports a loop's metrics to the program's swift-metrics backend until it is stopped.
///
/// All metrics have the dimension `loop`, whose value is the name of the reporter:
///
/// | label | kind | value |
/// |---|---|---|
/// | `uv_loop_iterations` | counter | iterations of the loop |
/// | `uv_loop_iteration_duration` | timer, ns | an iteration's duration minus its wait for I/O |
/// | `uv_loop_lag` | timer, ns | how late the loop called the reporter's own timer |
/// | `uv_loop_utilization` | gauge, 0 to 1 | the part of the last period in which the loop did not wait |
/// | `uv_loop_read_bytes`, `uv_loop_written_bytes` | counter | bytes that the loop's streams have read and written |
/// | `uv_loop_handles` | gauge | open handles, without the reporter's own |
/// | `uv_loop_buffers` | gauge | write buffers, by the dimension `state`: `pooled`, `held`, `in_flight` |
/// | `uv_loop_refused_tasks` | counter | task jobs that the loop has rejected, see `UVLoop.refusedTaskCount` |
///
/// The reporter records the duration of each iteration as it ends, and everything else once per period. Its handles do
/// not keep the loop running.
///
/// Each iteration costs a callback, a reading of the clock and a record of a timer. Each period costs one more wake-up
/// and a walk over all handles. Each iteration that waits costs one more system call, because libuv measures its waits
/// by polling once without waiting first. The reporter records metrics on the loop's thread: a backend that blocks
/// delays the loop.
///
/// A reporter belongs to its loop's thread and is not `Sendable`. It lives until `stop` or the loop's close, even if
/// the program keeps no reference to it.
public final class UVMetricsReporter {
    private let loop: UVLoop
    private let period: Duration
    private let instruments: LoopInstruments
    private let prepare: UVPrepare
    private let timer: UVTimer

    /// The moment at which the iteration began.
    private var roundStart: LoopMoment?
    private var periodStart: LoopMoment
    private var reported: LoopTotals
    private var roundCount: Int64 = 0
    private var timerDue: Duration = .zero
    private var isStopped = false

    /// Starts reporting on a loop; call it on the loop's thread.
    ///
    /// Give each loop its own name: a backend would merge the metrics of two reporters with the same name.
    ///
    /// - Parameters:
    ///   - loop: the loop to report on.
    ///   - name: the value of the dimension `loop`.
    ///   - period: the time between reports, rounded up to whole milliseconds; at least one.
    ///   - factory: the factory that makes the metrics; by default the one that the program has bootstrapped.
    /// - Throws: `UVError` with the code `cancelled` if the loop is closing or closed.
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

    /// Reports for the last time and closes the reporter's handles; call it on the loop's thread.
    ///
    /// Call this before the loop closes. Otherwise the loop's close lists the reporter's handles among those that the
    /// program left open. The handles close in the loop's next iteration. `stop` destroys the gauges, because their
    /// values are no longer updated, and keeps the counters and timers. Calling it again has no effect.
    public func stop() {
        guard !isStopped else { return }
        isStopped = true
        // On a closed loop there is nothing left to read, and the handles have closed with it.
        if !prepare.isClosing { report() }
        instruments.retireGauges()
        prepare.close()
        timer.close()
    }

    /// Called directly before the loop waits: the time since the last call was one iteration.
    private func roundBegins() {
        let now = LoopMoment(of: loop)
        if let roundStart {
            instruments.iterationDuration.recordNanoseconds(now.busyTime(since: roundStart).busy.nanoseconds)
            roundCount += 1
        } else {
            // The timer starts in the first iteration, so that the time before it does not count as lag.
            startTimer()
        }
        roundStart = now
    }

    private func startTimer() {
        loop.updateTime()
        // `start` throws only if the handle is closing. In that case this method is not called.
        try? timer.start(after: period, repeating: period) { _ in self.periodEnds() }
        timerDue = loop.now + timer.dueIn
    }

    private func periodEnds() {
        // The timer has already been started again, relative to the loop's current time.
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
