import Synchronization
import Testing

import SystemCalls

/// Tests of a heartbeat that several loops share.
@Suite struct HeartbeatTests {
    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }

    @Test func aHeartbeatFollowsABeatOfEveryPart() {
        let count = Count()
        let parts = Heartbeat(every: .seconds(1)) { count.value.add(1, ordering: .relaxed) }.split(into: 3)
        #expect(parts.map(\.interval) == [.seconds(1), .seconds(1), .seconds(1)])
        for round in 1...3 {
            parts[2].beat()
            parts[0].beat()
            // Further beats of a running loop do not make up for the missing beat of a hung loop.
            for _ in 0..<5 { parts[2].beat() }
            #expect(count.value.load(ordering: .relaxed) == round - 1)
            parts[1].beat()
            #expect(count.value.load(ordering: .relaxed) == round)
        }
    }

    @Test func everyBeatOfASinglePartIsAHeartbeat() {
        let count = Count()
        let parts = Heartbeat(every: .seconds(1)) { count.value.add(1, ordering: .relaxed) }.split(into: 1)
        for _ in 0..<3 { parts[0].beat() }
        #expect(count.value.load(ordering: .relaxed) == 3)
    }
}
