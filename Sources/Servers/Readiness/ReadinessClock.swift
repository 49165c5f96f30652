internal import SystemCalls

/// What a readiness loop does by the clock, where it does anything: it measures, looks at its connections, and says what
/// it has not said.
struct ReadinessClock {
    let measures: Bool
    /// Whether refusals are still to be told.
    var hasUnreported = false
    /// When this round's events were known, in nanoseconds.
    private(set) var roundBegin: UInt64 = 0

    private let pace: Duration?
    private let awaitsHeaders: Bool
    private var nextWatch = Duration.zero
    private let longestWait: Duration
    private var nextTick: UInt64

    /// In how many parts the connections are looked at: no part delays a message for long.
    static let parts = 8
    private static let tickNanoseconds: UInt64 = 100_000_000

    init(_ configuration: ServerConfiguration) {
        measures = configuration.measures
        pace = configuration.limits.interval.map { $0 / ReadinessClock.parts }
        awaitsHeaders = !configuration.trustedProxies.isEmpty
        longestWait = pace ?? (awaitsHeaders ? TrustedProxies.timeout / 6 : .seconds(1))
        nextTick = MonotonicTime.nanoseconds() + ReadinessClock.tickNanoseconds
    }

    /// Whether the loop has anything to do by the clock.
    var isTicking: Bool {
        @inline(__always) get { measures || pace != nil || hasUnreported || awaitsHeaders }
    }

    /// How long to wait for events.
    var timeout: Duration {
        guard measures else { return longestWait }
        let now = MonotonicTime.nanoseconds()
        return min(longestWait, .nanoseconds(nextTick > now ? Int64(clamping: nextTick - now) : 0))
    }

    mutating func roundBegins(_ meter: ServerMeter) {
        roundBegin = MonotonicTime.nanoseconds()
        guard measures, roundBegin >= nextTick else { return }
        meter.ticked(nanosecondsLate: Int(clamping: roundBegin - nextTick))
        nextTick = roundBegin + ReadinessClock.tickNanoseconds
    }

    func roundEnded(_ meter: ServerMeter) {
        if measures { meter.roundEnded(nanoseconds: Int(clamping: MonotonicTime.nanoseconds() &- roundBegin)) }
    }

    /// Whether the next part of the connections is to be looked at.
    mutating func watchIsDue(at now: Duration) -> Bool {
        guard let pace, now >= nextWatch else { return false }
        nextWatch = now + pace
        return true
    }
}
