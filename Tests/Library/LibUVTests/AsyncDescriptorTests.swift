import LibUV
import Testing

/// Tests of tasks that wait for events of descriptors opened outside the library.
@Suite(.timeLimit(.minutes(1))) struct AsyncDescriptorTests {
    @Test func aTaskWaitsUntilThereIsSomethingToRead() throws {
        try withTask { loop in
            let pair = try LocalPair()
            let descriptor = try UVDescriptorWatcher(pair.first, on: loop)
            let other = pair.second
            let writer = Task(executorPreference: loop) { writeBytes(5, to: other) }
            #expect(try await descriptor.wait(for: [.readable, .disconnect]) == .readable)
            #expect(await writer.value == 5)
            // The descriptor is still readable, so the next wait returns at once.
            #expect(try await descriptor.wait(for: .readable) == .readable)
            #expect(readBytes(10, from: pair.first) == 5)
            #expect(try await descriptor.wait(for: [.readable, .writable]) == .writable)
            await #expect(throws: UVError(.invalidArgument, operation: "uv_poll_start")) {
                try await descriptor.wait(for: [])
            }
            await descriptor.close()
            #expect(isOpen(pair.first))
        }
    }

    @Test func severalTasksWaitEachForItsOwn() throws {
        try withTask { loop in
            let pair = try LocalPair()
            let first = pair.first
            let descriptor = try UVDescriptorWatcher(first, on: loop)
            while writeBytes(65_536, to: first) > 0 {}
            let order = Order()
            let reader = Task(executorPreference: loop) {
                let events = try await descriptor.wait(for: .readable)
                order.note("readable")
                return events
            }
            let writer = Task(executorPreference: loop) {
                let events = try await descriptor.wait(for: [.writable, .disconnect])
                order.note("writable")
                return events
            }
            for _ in 0..<10 { await Task.yield() }
            writeBytes(1, to: pair.second)
            #expect(try await reader.value == .readable)
            #expect(order.events == ["readable"])
            while readBytes(1 << 20, from: pair.second) > 0 {
                if await descriptor.isReady(for: .writable) { break }
            }
            #expect(try await writer.value == .writable)
            #expect(order.events == ["readable", "writable"])
            await descriptor.close()
        }
    }

    @Test func aSequenceOfEventsEndsWithItsTask() throws {
        try withTask { loop in
            let pair = try LocalPair()
            let (first, second) = (pair.first, pair.second)
            let descriptor = try UVDescriptorWatcher(first, on: loop)
            let reader = Task(executorPreference: loop) {
                var total = 0
                for try await events in descriptor.events(.readable) {
                    #expect(events == .readable)
                    let count = readBytes(100, from: first)
                    if count == 0 { break }
                    total += count
                }
                return total
            }
            for _ in 0..<10 {
                writeBytes(50, to: second)
                await Task.yield()
            }
            endSending(second)
            #expect(try await reader.value == 500)
            let cancelled = Task(executorPreference: loop) {
                for try await _ in descriptor.events(.prioritized) { Issue.record("no urgent byte was sent") }
            }
            for _ in 0..<5 { await Task.yield() }
            cancelled.cancel()
            try await cancelled.value
            await descriptor.close()
        }
    }

    @Test func aTaskThatIsCancelledDisturbsNoOther() throws {
        try withTask { loop in
            let pair = try LocalPair()
            let descriptor = try UVDescriptorWatcher(pair.first, on: loop)
            let tasks = (0..<3).map { _ in
                Task(executorPreference: loop) { try await descriptor.wait(for: .readable) }
            }
            for _ in 0..<10 { await Task.yield() }
            tasks[1].cancel()
            await #expect(throws: UVError(.cancelled, operation: "uv_poll_start")) { try await tasks[1].value }
            writeBytes(1, to: pair.second)
            #expect(try await tasks[0].value == .readable)
            #expect(try await tasks[2].value == .readable)
            await descriptor.close()
        }
    }

    @Test func aCloseWakesThoseWhoWait() throws {
        try withTask { loop in
            let pair = try LocalPair()
            let descriptor = try UVDescriptorWatcher(pair.first, on: loop)
            let waiting = Task(executorPreference: loop) { try await descriptor.wait(for: .readable) }
            for _ in 0..<10 { await Task.yield() }
            await descriptor.close()
            await #expect(throws: UVError(.cancelled, operation: "uv_poll_start")) { try await waiting.value }
            await #expect(throws: UVError(.cancelled, operation: "uv_poll_start")) {
                try await descriptor.wait(for: .readable)
            }
        }
    }

    @Test func anErrorOfTheDescriptorIsThrown() throws {
        try withTask { loop in
            let pipe = try PipePair()
            let descriptor = try UVDescriptorWatcher(pipe.writer, on: loop)
            while writeBytes(65_536, to: pipe.writer) > 0 {}
            let waiting = Task(executorPreference: loop) { try await descriptor.wait(for: .writable) }
            for _ in 0..<10 { await Task.yield() }
            pipe.closeReader()
            await #expect(throws: UVError(.badDescriptor, operation: "uv_poll_start")) { try await waiting.value }
            await descriptor.close()
            #expect(throws: UVError(.badDescriptor, operation: "uv_poll_init")) {
                try UVDescriptorWatcher(-1, on: loop)
            }
        }
    }

    // @unchecked Sendable: the object is used only on the loop's thread.
    private final class Order: @unchecked Sendable {
        private(set) var events: [String] = []
        func note(_ event: String) { events.append(event) }
    }
}

extension UVDescriptorWatcher {
    /// Waits for one of the events for up to 20 milliseconds, and returns whether it occurred.
    nonisolated(nonsending) func isReady(for events: UVPoll.Events) async -> Bool {
        (try? await loop.withTimeout(.milliseconds(20)) { try await self.wait(for: events) }) != nil
    }
}
