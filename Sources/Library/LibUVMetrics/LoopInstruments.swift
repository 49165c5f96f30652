import CoreMetrics
import LibUV

/// The metrics that a reporter records for one loop.
struct LoopInstruments {
    let iterations: Counter
    let iterationDuration: Timer
    let lag: Timer
    private let utilization: Gauge
    private let readBytes: Counter
    private let writtenBytes: Counter
    private let refusedTasks: Counter
    private let handles: Gauge
    private let pooledBuffers: Gauge
    private let heldBuffers: Gauge
    private let buffersInFlight: Gauge

    init(loopName: String, factory: any MetricsFactory) {
        let dimensions = [("loop", loopName)]
        func counter(_ label: String) -> Counter { Counter(label: label, dimensions: dimensions, factory: factory) }
        func timer(_ label: String) -> Timer { Timer(label: label, dimensions: dimensions, factory: factory) }
        func gauge(_ label: String, state: String? = nil) -> Gauge {
            Gauge(label: label, dimensions: dimensions + (state.map { [("state", $0)] } ?? []), factory: factory)
        }
        iterations = counter("uv_loop_iterations")
        iterationDuration = timer("uv_loop_iteration_duration")
        lag = timer("uv_loop_lag")
        utilization = gauge("uv_loop_utilization")
        readBytes = counter("uv_loop_read_bytes")
        writtenBytes = counter("uv_loop_written_bytes")
        refusedTasks = counter("uv_loop_refused_tasks")
        handles = gauge("uv_loop_handles")
        pooledBuffers = gauge("uv_loop_buffers", state: "pooled")
        heldBuffers = gauge("uv_loop_buffers", state: "held")
        buffersInFlight = gauge("uv_loop_buffers", state: "in_flight")
    }

    /// Increments the counters by the changes from the earlier totals to the current ones.
    func count(from earlier: LoopTotals, to totals: LoopTotals, rounds: Int64) {
        iterations.increment(by: rounds)
        readBytes.increment(by: totals.readByteCount &- earlier.readByteCount)
        writtenBytes.increment(by: totals.writtenByteCount &- earlier.writtenByteCount)
        refusedTasks.increment(by: totals.refusedTaskCount - earlier.refusedTaskCount)
    }

    func record(busy: Duration, of passed: Duration) {
        if passed > .zero { utilization.record(min(1, busy / passed)) }
    }

    func record(handleCount: Int, buffers: UVBufferCounts) {
        handles.record(handleCount)
        pooledBuffers.record(buffers.pooled)
        heldBuffers.record(buffers.held)
        buffersInFlight.record(buffers.inFlight)
    }

    /// Destroys the gauges, because they would otherwise keep reporting their last values.
    ///
    /// The counters and timers are kept, because their values remain correct.
    func retireGauges() {
        for gauge in [utilization, handles, pooledBuffers, heldBuffers, buffersInFlight] { gauge.destroy() }
    }
}

extension Duration {
    /// The duration in whole nanoseconds, clamped to the range of `Int64`.
    var nanoseconds: Int64 { Int64(clamping: attoseconds / 1_000_000_000) }
}
