internal import LibUV
internal import SystemCalls

/// Measures one loop, on its thread: how long its rounds take, how late its timers are, and how long answers take.
final class LoopMeter {
    private let loop: UVLoop
    private let meter: ServerMeter
    /// When the first bytes of this round were seen; 0 before.
    private var roundBegin: UInt64 = 0
    private var nextTick: UInt64 = 0
    /// How many of the bytes that the loop has read are no client's.
    var droppedByteCount = 0

    init(of loop: UVLoop, _ meter: ServerMeter) throws(UVError) {
        self.loop = loop
        self.meter = meter
        let prepare = try UVPrepare(on: loop)
        prepare.unref()
        let timer = try UVTimer(on: loop)
        timer.unref()
        nextTick = MonotonicTime.nanoseconds() + ServerMeter.tickNanoseconds
        meter.ticked(nanosecondsLate: 0)
        try prepare.start { [unowned self] _ in willWait() }
        try timer.start(after: ServerMeter.tick, repeating: ServerMeter.tick) { [unowned self] _ in ticked() }
    }

    /// A round is over, and the next begins to wait.
    ///
    /// libuv calls back from within its wait, and tells the time that it waited only at the price of a system call for
    /// each round: a round is measured from the first bytes that it brings.
    private func willWait() {
        guard roundBegin != 0 else { return }
        meter.roundEnded(nanoseconds: Int(clamping: MonotonicTime.nanoseconds() &- roundBegin))
        roundBegin = 0
        publishByteCounts()
    }

    private func ticked() {
        let now = MonotonicTime.nanoseconds()
        meter.ticked(nanosecondsLate: now > nextTick ? Int(clamping: now - nextTick) : 0)
        nextTick = now + ServerMeter.tickNanoseconds
        publish()
    }

    /// Makes what the loop itself counts readable for others.
    func publish() {
        publishByteCounts()
        let ledger = loop.ledger
        meter.setBuffers(made: ledger.made, pooled: ledger.pooled, inFlight: ledger.inFlight)
    }

    private func publishByteCounts() {
        let counts = loop.byteCounts
        meter.setByteCounts(
            received: Int(clamping: counts.read) - droppedByteCount, sent: Int(clamping: counts.written))
    }

    func willAnswer() { if roundBegin == 0 { roundBegin = MonotonicTime.nanoseconds() } }

    func hasAnswered(messages count: Int) { meter.answered(messages: count, sinceNanoseconds: roundBegin) }
}
