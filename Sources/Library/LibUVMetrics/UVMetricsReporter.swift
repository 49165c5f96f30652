public import CoreMetrics
public import LibUV

/// Reports a loop's metrics to the program's swift-metrics backend.
///
/// Every metric has the dimension `loop`. The value of this dimension is the name given to the reporter.
///
/// | label | kind | value |
/// |---|---|---|
/// | `uv_loop_iterations` | counter | iterations of the loop |
/// | `uv_loop_iteration_duration` | timer, ns | duration of an iteration, without its wait for I/O |
/// | `uv_loop_lag` | timer, ns | the delay with which the loop called the reporter's timer |
/// | `uv_loop_utilization` | gauge, 0 to 1 | fraction of the last period in which the loop was not waiting for I/O |
/// | `uv_loop_read_bytes`, `uv_loop_written_bytes` | counter | bytes read or written by the loop's streams |
/// | `uv_loop_handles` | gauge | open handles, excluding the reporter's handles |
/// | `uv_loop_buffers` | gauge | write buffers; the dimension `state` is `pooled`, `held` or `in_flight` |
/// | `uv_loop_refused_tasks` | counter | task jobs that the loop has rejected; see `UVLoop.refusedTaskCount` |
///
/// The reporter records the duration of an iteration when the iteration ends, and all other metrics once per period.
/// The reporter's handles do not keep the loop running.
///
/// In each iteration, the reporter runs a callback, reads the clock and records a timer. In each period, it wakes the
/// loop once and walks over all handles. Each iteration that waits makes one additional system call: to measure a wait,
/// libuv first polls without waiting. The reporter records metrics on the loop's thread. If a backend blocks, it delays
/// the loop.
///
/// Use a reporter only on its loop's thread; it is not `Sendable`. It exists until `stop` is called or the loop closes,
/// even if the program keeps no reference to it.
public final class UVMetricsReporter {
    private let loop: UVLoop
    private let period: Duration
    private let instruments: LoopInstruments
    private let prepare: UVPrepare
    private let timer: UVTimer

    /// The moment at which the current iteration began, or `nil` before the first iteration.
    private var roundStart: LoopMoment?
    private var periodStart: LoopMoment
    private var reported: LoopTotals
    private var roundCount: Int64 = 0
    private var timerDue: Duration = .zero
    private var isStopped = false

    /// Starts to report on a loop.
    ///
    /// Call it on the loop's thread.
    ///
    /// Give each reporter a different name, because a backend would merge the metrics of reporters that have the same
    /// name.
    ///
    /// - Parameters:
    ///   - loop: the loop to report on.
    ///   - name: the value of the dimension `loop`.
    ///   - period: the time between reports, rounded up to whole milliseconds. It is at least one millisecond.
    ///   - factory: the factory that makes the metrics. The default is the factory with which the program has
    ///     bootstrapped swift-metrics.
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

    /// Reports for the last time and closes the reporter's handles.
    ///
    /// Call it on the loop's thread.
    ///
    /// Call `stop` before the loop closes. Otherwise, `UVLoop.close` lists the reporter's handles among the handles
    /// that the program left open. The handles close in the loop's next iteration. `stop` destroys the gauges, because
    /// their values are no longer updated, and keeps the counters and timers. Calling `stop` again has no effect.
    public func stop() {
        guard !isStopped else { return }
        isStopped = true
        // If the loop has closed, its metrics can no longer be read, and the handles have closed with the loop.
        if !prepare.isClosing { report() }
        instruments.retireGauges()
        prepare.close()
        timer.close()
    }

    /// Called in each iteration, directly before the loop waits for I/O.
    ///
    /// Therefore one iteration has passed since the previous call.
    private func roundBegins() {
        let now = LoopMoment(of: loop)
        if let roundStart {
            instruments.iterationDuration.recordNanoseconds(now.busyTime(since: roundStart).busy.nanoseconds)
            roundCount += 1
        } else {
            // The timer is started in the first iteration, so that the time before the first iteration does not count
            // as lag.
            startTimer()
        }
        roundStart = now
    }

    private func startTimer() {
        loop.updateTime()
        // `start` throws only if the timer is closing. In that case, this function is not called.
        try? timer.start(after: period, repeating: period) { _ in self.periodEnds() }
        timerDue = loop.now.offset + timer.dueIn
    }

    private func periodEnds() {
        // libuv has already restarted the repeating timer, so `timer.dueIn` is the time until the next period ends.
        instruments.lag.recordNanoseconds(max(.zero, UVSystem.monotonicTime - timerDue).nanoseconds)
        timerDue = loop.now.offset + timer.dueIn
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
        instruments.record(handleCount: handleCount, buffers: loop.statistics.buffers)
    }
}
