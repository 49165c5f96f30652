internal import Measurements
internal import SystemCalls

/// Takes a sample of the platform ten times per second, on a separate thread.
final class PlatformWatch: Sendable {
    /// The time between two samples.
    static let interval = Duration.milliseconds(100)
    /// The number of sample intervals over which stolen time and the processor time of other processes are measured.
    ///
    /// A single interval is too short, because the kernel counts in hundredths of a second.
    private static let window = 5

    private struct State {
        var samples: [(time: UInt64, sample: PlatformSample)] = []
        var processes: [Int32] = []
        var isOver = false
    }

    private let state = Monitor(State())
    private let threads = ThreadGroup()

    /// Starts the thread that takes the samples.
    init() throws(SystemCallError) { try threads.start { [self] in run() } }

    /// Replaces the processes whose counters are read.
    func watch(_ processes: [Int32]) { state.withLock { $0.processes = processes } }

    /// Returns the samples taken between two times, in nanoseconds of the monotonic clock.
    func samples(from begin: UInt64, to end: UInt64) -> [PlatformSample] {
        state.withLock { state in state.samples.filter { $0.time >= begin && $0.time <= end }.map(\.sample) }
    }

    /// Stops the thread that takes the samples.
    func stop() {
        state.withLock { $0.isOver = true }
        threads.joinAll()
    }

    private func run() {
        var readings: [PlatformCounters] = []
        var watched: [Int32] = []
        while !state.withLock(\.isOver) {
            PosixThread.sleep(PlatformWatch.interval - .milliseconds(1))
            let processes = state.withLock { $0.processes }
            if processes != watched {
                // The counters of the new processes cannot be compared with the counters of the previous processes, so
                // the previous counters are removed.
                readings.removeAll()
                watched = processes
            }
            let hiccup = PlatformWatch.overshoot()
            let now = PlatformCounters.read(watching: processes)
            if let last = readings.last, let first = readings.first {
                let sample = PlatformWatch.sample(hiccup, first, last, now)
                state.withLock { $0.samples.append((now.time, sample)) }
            }
            readings.append(now)
            if readings.count > PlatformWatch.window { readings.removeFirst() }
        }
    }

    /// Sleeps for 1 ms and returns the overshoot in microseconds.
    private static func overshoot() -> Double {
        let begin = MonotonicTime.nanoseconds()
        PosixThread.sleep(.milliseconds(1))
        return max(0, Double(MonotonicTime.nanoseconds() &- begin) / 1000 - 1000)
    }

    /// - Parameters:
    ///   - first: the oldest available counters, read at most five samples ago.
    ///   - last: the counters of the previous sample.
    static func sample(
        _ hiccup: Double, _ first: PlatformCounters, _ last: PlatformCounters, _ now: PlatformCounters
    ) -> PlatformSample {
        let wall = Double(now.time &- last.time)
        let longWall = Double(now.time &- first.time)
        let ticks = Double(now.ticks.total &- first.ticks.total)
        guard wall > 0, longWall > 0, ticks > 0 else { return PlatformSample(hiccupMicroseconds: hiccup) }
        let busy = Double(now.ticks.busy &- first.ticks.busy) / ticks
        // `busy` is relative to the time of all processors together, so the watched processes' time is divided by the
        // number of processors.
        let processors = max(1, (ticks * 10_000_000 / longWall).rounded())
        let own = now.ownTime >= first.ownTime ? Double(now.ownTime - first.ownTime) / longWall / processors : 0
        return PlatformSample(
            hiccupMicroseconds: hiccup, stealShare: Double(now.ticks.stolen &- first.ticks.stolen) / ticks,
            pressureShare: min(1, Double(now.pressure &- last.pressure) * 1000 / wall),
            runDelayShare: now.runDelay >= last.runDelay ? Double(now.runDelay - last.runDelay) / wall : 0,
            foreignShare: max(0, busy - own))
    }
}
