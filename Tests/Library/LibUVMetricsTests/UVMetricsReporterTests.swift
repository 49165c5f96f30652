import CoreMetrics
import LibUV
import LibUVMetrics
import MetricsTestKit
import Testing

/// Tests of `UVMetricsReporter`, each with its own loop and a metrics factory that stores every record.
@Suite(.timeLimit(.minutes(1))) struct UVMetricsReporterTests {
    private let metrics = TestMetrics()

    private func counter(_ label: String) throws -> TestCounter {
        try metrics.expectCounter(label, [("loop", "main")])
    }

    private func gauge(_ label: String, state: String? = nil) throws -> TestRecorder {
        try metrics.expectGauge(label, [("loop", "main")] + (state.map { [("state", $0)] } ?? []))
    }

    private func timer(_ label: String) throws -> TestTimer { try metrics.expectTimer(label, [("loop", "main")]) }

    /// Runs a loop with a reporter, and stops the reporter before it closes the loop.
    private func report(
        every period: Duration = .milliseconds(1), _ body: (UVLoop, UVMetricsReporter) throws -> Void
    ) throws {
        let loop = try UVLoop()
        let reporter = try UVMetricsReporter(on: loop, name: "main", every: period, factory: metrics)
        do { try body(loop, reporter) } catch {
            reporter.stop()
            try loop.close()
            throw error
        }
        reporter.stop()
        #expect(try loop.close().isEmpty, "the reporter closes its handles when it stops")
        #expect(loop.statistics.buffers.inFlight == 0)
    }

    /// Runs the loop until a timer has fired `calls` times.
    private func run(_ loop: UVLoop, calls: Int, _ body: @escaping (Int) -> Void = { _ in }) throws {
        var count = 0
        try UVTimer(on: loop).start(after: .milliseconds(1), repeating: .milliseconds(1)) { timer in
            count += 1
            body(count)
            if count == calls { timer.close() }
        }
        try loop.run()
        #expect(count == calls)
    }

    /// Keeps the thread busy for a duration.
    private func spin(_ duration: Duration) {
        let end = UVSystem.monotonicTime + duration
        while UVSystem.monotonicTime < end {}
    }

    @Test func doesNotKeepTheLoopRunning() throws {
        try report { loop, _ in
            let isAlive = try loop.run()
            #expect(!isAlive)
        }
    }

    /// Promise of the article "Metrics of a loop".
    @Test func everyRoundIsCountedAndTimed() throws {
        var rounds = 0
        var iterations: TestCounter?
        try report { loop, _ in
            let check = try UVCheck(on: loop)
            try check.start { _ in rounds += 1 }
            check.unref()
            try run(loop, calls: 20)
            check.close()
            iterations = try counter("uv_loop_iterations")
        }
        // Each iteration reports the duration of the previous iteration, so the duration of the last iteration is never
        // reported.
        #expect(rounds >= 20)
        #expect(try #require(iterations).totalValue == Int64(rounds - 1))
        #expect(try timer("uv_loop_iteration_duration").values.count == rounds - 1)
    }

    /// Promise of the article "Metrics of a loop".
    @Test func aRoundIsAsLongAsItsCallbacksAndNotAsItsWait() throws {
        var (elapsed, waited) = (Duration.zero, Duration.zero)
        try report(every: .seconds(1000)) { loop, _ in
            let start = UVSystem.monotonicTime
            try run(loop, calls: 20) { if $0 == 5 { spin(.milliseconds(30)) } }
            elapsed = UVSystem.monotonicTime - start
            waited = loop.idleTime
        }
        let durations = try timer("uv_loop_iteration_duration").values
        #expect(try #require(durations.max()) >= 30_000_000)
        #expect(waited > .zero)
        #expect(.nanoseconds(durations.reduce(0, +)) <= elapsed - waited, "waiting was counted as busy time")
        #expect(durations.allSatisfy { $0 >= 0 })
    }

    /// Promise of the article "Metrics of a loop".
    @Test func workBetweenTwoRunsIsPartOfAnIteration() throws {
        try report(every: .seconds(1000)) { loop, _ in
            try run(loop, calls: 2)
            spin(.milliseconds(30))
            try run(loop, calls: 2)
        }
        let durations = try timer("uv_loop_iteration_duration").values
        #expect(try #require(durations.max()) >= 30_000_000)
    }

    /// Promise of the article "Metrics of a loop".
    @Test func aLoopThatIsKeptBusyLags() throws {
        try report { loop, _ in
            // The time before the first iteration does not count as lag.
            spin(.milliseconds(50))
            try run(loop, calls: 3) { if $0 == 2 { spin(.milliseconds(40)) } }
        }
        let lags = try timer("uv_loop_lag").values
        // The thread was busy for 40 ms. The timer has a period of 1 ms, so it became due within 1 ms after the thread
        // became busy. The loop's clock counts whole milliseconds.
        #expect(try #require(lags.max()) >= 37_000_000)
        #expect(lags.allSatisfy { $0 >= 0 })
    }

    /// Promise of the article "Metrics of a loop".
    @Test func bytesAreCountedOnce() throws {
        var (read, written): (TestCounter?, TestCounter?)
        try report { loop, _ in
            let (left, right) = try UVTCPStream.pair(on: loop)
            var received = 0
            try right.startReading { stream, event in
                switch event {
                case .bytes(let bytes): received += bytes.count
                case .end, .failed: stream.close()
                case .written, .drained, .closed: break
                }
            }
            var sent = 0
            let timer = try UVTimer(on: loop)
            try timer.start(after: .milliseconds(1), repeating: .milliseconds(2)) { timer in
                var buffer = left.makeBuffer(capacity: 1000)
                buffer.append(copying: [UInt8](repeating: 1, count: 1000).span)
                try? left.write(buffer)
                sent += 1
                if sent == 5 {
                    timer.close()
                    try? left.shutdown { _ in left.close() }
                }
            }
            try loop.run()
            #expect(received == 5000)
            (read, written) = (try counter("uv_loop_read_bytes"), try counter("uv_loop_written_bytes"))
        }
        #expect(read?.totalValue == 5000)
        #expect(written?.totalValue == 5000)
        #expect(try counter("uv_loop_refused_tasks").totalValue == 0)
    }

    /// Promise of the article "Metrics of a loop".
    @Test func handlesAndBuffersAreThoseOfTheProgram() throws {
        var gauges: [String: TestRecorder] = [:]
        try report { loop, _ in
            let idle = try (0..<3).map { _ in try UVTimer(on: loop) }
            let held = loop.makeBuffer(capacity: 10)
            try run(loop, calls: 8)
            #expect(held.count == 0)
            idle.forEach { $0.close() }
            gauges = [
                "handles": try gauge("uv_loop_handles"), "pooled": try gauge("uv_loop_buffers", state: "pooled"),
                "held": try gauge("uv_loop_buffers", state: "held"),
                "flight": try gauge("uv_loop_buffers", state: "in_flight"),
            ]
        }
        // The loop has the three idle timers, and the timer that keeps the loop running.
        #expect(gauges["handles"]?.values.first == 4)
        #expect(gauges["held"]?.values.first == 1)
        #expect(gauges["pooled"]?.values.first == 0)
        #expect(gauges["flight"]?.values.first == 0)
    }

    /// Promise of the article "Metrics of a loop".
    @Test func utilizationIsAPart() throws {
        var utilization: TestRecorder?
        try report { loop, _ in
            try run(loop, calls: 10)
            utilization = try gauge("uv_loop_utilization")
        }
        let values = try #require(utilization).values
        #expect(values.count > 1)
        #expect(values.allSatisfy { (0...1).contains($0) })
    }

    /// Promise of the article "Metrics of a loop".
    @Test func stopReportsForTheLastTimeAndGivesUpTheGauges() throws {
        let loop = try UVLoop()
        let reporter = try UVMetricsReporter(on: loop, name: "main", every: .seconds(1000), factory: metrics)
        try run(loop, calls: 5)
        let handles = try gauge("uv_loop_handles")
        #expect(handles.values.isEmpty)
        #expect(try counter("uv_loop_iterations").totalValue == 0)
        reporter.stop()
        #expect(handles.values == [0])
        #expect(try counter("uv_loop_iterations").totalValue >= 4)
        #expect(metrics.recorders.isEmpty)
        let total = try counter("uv_loop_iterations").totalValue
        reporter.stop()
        try run(loop, calls: 5)
        #expect(try counter("uv_loop_iterations").totalValue == total, "nothing is reported after the stop")
        #expect(try loop.close().isEmpty)
    }

    @Test func aReporterIsStoppedInACallbackOfItsLoop() throws {
        try report { loop, reporter in
            try run(loop, calls: 5) { if $0 == 3 { reporter.stop() } }
            #expect(metrics.recorders.isEmpty)
        }
    }

    /// Promise of the article "Metrics of a loop".
    @Test func theCloseOfTheLoopNamesAReporterThatWasNotStopped() throws {
        let loop = try UVLoop()
        let reporter = try UVMetricsReporter(on: loop, name: "main", factory: metrics)
        #expect(try loop.close().map(\.type).sorted() == ["prepare", "timer"])
        reporter.stop()
        #expect(metrics.recorders.isEmpty)
        #expect(throws: UVError.self) { try UVMetricsReporter(on: loop, name: "late", factory: metrics) }
        #expect(metrics.counters.allSatisfy { $0.dimensions.map(\.1) == ["main"] })
    }

    /// Promise of the article "Metrics of a loop".
    @Test func twoLoopsAreToldApart() throws {
        let loops = try (UVLoop(), UVLoop())
        let reporters = try (
            UVMetricsReporter(on: loops.0, name: "one", factory: metrics),
            UVMetricsReporter(on: loops.1, name: "two", factory: metrics)
        )
        try run(loops.0, calls: 5)
        reporters.0.stop()
        reporters.1.stop()
        try loops.0.close()
        try loops.1.close()
        #expect(try metrics.expectCounter("uv_loop_iterations", [("loop", "one")]).totalValue >= 4)
        #expect(try metrics.expectCounter("uv_loop_iterations", [("loop", "two")]).totalValue == 0)
    }

    @Test func whatTheProgramBootstrappedIsUsedUnlessToldOtherwise() throws {
        let loop = try UVLoop()
        let reporter = try withMetricsFactory(metrics) { try UVMetricsReporter(on: loop, name: "main") }
        reporter.stop()
        #expect(metrics.counters.count == 4)
        try loop.close()
    }
}
