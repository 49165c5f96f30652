import Testing

@testable import LibUV

/// Tests of deadlines that have passed when a task begins to wait for them.
///
/// libuv's timers count whole milliseconds, so rounding up a deadline would make such a task wait for a millisecond.
@Suite(.timeLimit(.minutes(1))) struct ShortSleepTests {
    @Test func aDeadlineThatHasPassedNeedsNoDelay() throws {
        try withLoop { loop in
            for _ in 0..<100 {
                let now = loop.clock.now
                for past in [now, now - .nanoseconds(1), now - .seconds(1), .init(offset: .zero)] {
                    #expect(loop.delay(until: past) == .zero)
                }
                #expect(loop.delay(until: now + .milliseconds(50)) >= .milliseconds(1))
                loop.updateTime()
            }
        }
    }

    /// The tasks would need a millisecond for each wait, which is twenty seconds.
    @Test func manyEmptyWaitsAreFast() throws {
        try withTask { loop in
            let begin = loop.clock.now
            for _ in 0..<5_000 {
                try await loop.sleep(for: .zero)
                try await loop.sleep(for: .seconds(-1))
                try await loop.clock.sleep(for: .zero)
                await #expect(throws: UVError(.timedOut, operation: "withTimeout")) {
                    try await loop.withTimeout(.zero) { try await loop.sleep(for: .seconds(1000)) }
                }
            }
            #expect(begin.duration(to: loop.clock.now) < .seconds(10))
        }
    }

    /// A task that waits for no time, again and again, does not keep the loop from its other work.
    @Test func emptyWaitsLetTheLoopDoItsOtherWork() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let ticks = Counter()
            let timer = try UVTimer(on: loop)
            try timer.start(after: .milliseconds(1), repeating: .milliseconds(1)) { _ in ticks.add() }
            let waiter = Task(executorPreference: loop) {
                while !Task.isCancelled { try? await loop.sleep(for: .zero) }
            }
            for _ in 0..<100 {
                try await client.write("ping")
                #expect(try await server.read()?.bytes == Array("ping".utf8))
            }
            while ticks.value < 3 { try await loop.sleep(for: .milliseconds(1)) }
            waiter.cancel()
            await waiter.value
            timer.close()
            await client.close()
            await server.close()
        }
    }
}
