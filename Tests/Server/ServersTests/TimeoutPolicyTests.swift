import Logging
import Testing

@testable import Servers
@testable import SystemCalls

/// Tests of the decisions about limits, without sockets and without clocks.
@Suite struct TimeoutPolicyTests {
    private func state(
        silent: Int = 0, received: UInt64 = 0, acknowledged: UInt64 = 0, waiting: Bool = false
    ) -> TCPState {
        TCPState(
            sinceReceived: .seconds(silent), sinceSent: .seconds(silent), receivedByteCount: received,
            acknowledgedByteCount: acknowledged, hasUnacknowledged: waiting)
    }

    @Test func aConnectionWithUnacknowledgedRepliesIsNotIdle() {
        var policy = TimeoutPolicy(ConnectionLimits(idleTimeout: .seconds(10)))
        #expect(policy.evaluate(1, state(silent: 9), isInMessage: false, now: .zero) == nil)
        #expect(policy.evaluate(1, state(silent: 99, waiting: true), isInMessage: false, now: .zero) == nil)
        #expect(policy.evaluate(1, state(silent: 10), isInMessage: false, now: .zero)?.reason == .idle)
    }

    @Test func aClientThatAcceptsSomeBytesIsNotStalled() {
        var policy = TimeoutPolicy(ConnectionLimits(writeTimeout: .seconds(10)))
        for second in 0..<30 {
            // The client acknowledges one byte every nine seconds.
            let taken = UInt64(second / 9)
            #expect(
                policy.evaluate(1, state(acknowledged: taken, waiting: true), isInMessage: true, now: .seconds(second))
                    == nil)
        }
        let closure = policy.evaluate(1, state(acknowledged: 3, waiting: true), isInMessage: true, now: .seconds(40))
        #expect(closure?.reason == .stalled)
        #expect(closure?.detail.contains("10 s") == true)
    }

    @Test func aStallBeginsWithTheFirstUnacknowledgedByte() {
        var policy = TimeoutPolicy(ConnectionLimits(writeTimeout: .seconds(10)))
        #expect(policy.evaluate(1, state(waiting: true), isInMessage: false, now: .seconds(0)) == nil)
        #expect(policy.evaluate(1, state(), isInMessage: false, now: .seconds(9)) == nil)
        #expect(policy.evaluate(1, state(waiting: true), isInMessage: false, now: .seconds(18)) == nil)
        #expect(policy.evaluate(1, state(waiting: true), isInMessage: false, now: .seconds(27)) == nil)
        #expect(policy.evaluate(1, state(waiting: true), isInMessage: false, now: .seconds(28))?.reason == .stalled)
    }

    @Test func aRateIsAnAverageOverTheWindowOfAnOpenMessage() {
        var policy = TimeoutPolicy(ConnectionLimits(minReadRate: 100, rateWindow: .seconds(5)))
        // The client sends nothing for four seconds, and then enough bytes to reach the minimum average rate.
        for second in 0..<5 { #expect(policy.evaluate(1, state(), isInMessage: true, now: .seconds(second)) == nil) }
        #expect(policy.evaluate(1, state(received: 500), isInMessage: true, now: .seconds(5)) == nil)
        // The minimum rate does not apply between messages.
        #expect(policy.evaluate(1, state(received: 500), isInMessage: false, now: .seconds(20)) == nil)
        #expect(policy.evaluate(1, state(received: 501), isInMessage: true, now: .seconds(30)) == nil)
        #expect(policy.evaluate(1, state(received: 1000), isInMessage: true, now: .seconds(35))?.reason == .slow)
    }

    @Test func aForgottenConnectionStartsFromZero() {
        var policy = TimeoutPolicy(ConnectionLimits(writeTimeout: .seconds(10)))
        #expect(policy.evaluate(1, state(waiting: true), isInMessage: false, now: .seconds(0)) == nil)
        policy.forget(1)
        #expect(policy.evaluate(1, state(waiting: true), isInMessage: false, now: .seconds(10)) == nil)
    }

    @Test func everyRejectionIsLoggedUnderItsReason() {
        let log = LogRecorder()
        var rejections = RejectionLog(logger: log.logger)
        rejections.record(.limit, "full", at: .zero)
        for _ in 0..<7 { rejections.record(.limit, "full", at: .milliseconds(10)) }
        for _ in 0..<2 { rejections.record(.threads, "none", at: .milliseconds(20)) }
        #expect(log.messages == ["rejected connections count=1 limit=max_connections reason=full"])
        rejections.report(at: .milliseconds(999))
        #expect(log.messages.count == 1)
        rejections.report(at: .milliseconds(1000))
        #expect(
            log.messages.dropFirst() == [
                "rejected connections count=7 limit=max_connections reason=full",
                "rejected connections count=2 limit=no_thread reason=none",
            ])
        #expect(rejections.nextReport == nil)
    }

    @Test func aDurationIsCountedInTheFirstBucketThatContainsIt() {
        for (index, bound) in DurationHistogram.upperBounds.enumerated() {
            #expect(DurationHistogram.bucket(for: bound) == index)
            #expect(DurationHistogram.bucket(for: bound + 1) == index + 1)
        }
        #expect(DurationHistogram.bucket(for: 0) == 0)
        #expect(DurationHistogram.bucket(for: .max) == DurationHistogram.boundedCount)
    }
}
