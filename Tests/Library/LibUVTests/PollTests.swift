import LibUV
import SystemCalls
import Testing

/// Tests of watching descriptors that were opened outside the library.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct PollTests {
    /// Behaviour 55: both sides receive events until both have shut down their write sides.
    @Test func eventsComeBothWays() throws {
        try withLoop { loop in
            let pair = try LocalPair()
            let total = 1 << 20
            var ended = 0
            for descriptor in [pair.first, pair.second] {
                let poll = try UVPoll(on: loop, descriptor: descriptor)
                var (read, written, isEnded) = (0, 0, false)
                try poll.start([.readable, .writable]) { poll, result in
                    guard case .success(let events) = result else {
                        Issue.record("\(result)")
                        return
                    }
                    if events.contains(.writable), written < total {
                        written += max(0, writeBytes(min(65_536, total - written), to: descriptor))
                        if written == total { endSending(descriptor) }
                    }
                    if events.contains(.readable) {
                        let count = readBytes(10_000, from: descriptor)
                        if count == 0 { isEnded = true }
                        read += max(0, count)
                    }
                    if isEnded, written == total {
                        #expect(read == total)
                        ended += 1
                        poll.close()
                    } else if written == total {
                        #expect(throws: Never.self) { try poll.change(to: .readable) }
                    } else if isEnded {
                        #expect(throws: Never.self) { try poll.change(to: .writable) }
                    }
                }
            }
            try loop.run()
            #expect(ended == 2)
            // The descriptors belong to the caller, so closing the watchers leaves them open.
            #expect(isOpen(pair.first) && isOpen(pair.second))
        }
    }

    /// Tests behaviour 55 and pitfall 48 of docs/behaviours.md.
    @Test func aRegularFileAndNoDescriptorAreRefused() throws {
        try withLoop { loop in
            let file = try openRegularFile()
            defer { closeDescriptor(file) }
            #expect(throws: UVError(.notPermitted, operation: "uv_poll_init")) {
                try UVPoll(on: loop, descriptor: file)
            }
            #expect(throws: UVError(.badDescriptor, operation: "uv_poll_init")) { try UVPoll(on: loop, descriptor: -1) }
        }
    }

    /// Tests behaviour 55 and pitfall 48 of docs/behaviours.md.
    @Test func aDescriptorHasOneWatcherAtATime() throws {
        try withLoop { loop in
            let pair = try LocalPair()
            let (first, second) = (
                try UVPoll(on: loop, descriptor: pair.first), try UVPoll(on: loop, descriptor: pair.first)
            )
            #expect(throws: UVError(.invalidArgument, operation: "uv_poll_start")) { try first.change(to: .readable) }
            try first.start(.readable) { _, _ in }
            #expect(throws: UVError(.alreadyExists, operation: "uv_poll_init")) {
                try UVPoll(on: loop, descriptor: pair.first)
            }
            #expect(throws: UVError(.alreadyExists, operation: "uv_poll_start")) {
                try second.start(.readable) { _, _ in Issue.record("called") }
            }
            first.stop()
            first.stop()
            var calls = 0
            try second.start(.writable) { poll, _ in
                calls += 1
                poll.close()
            }
            first.close()
            try loop.run()
            #expect(calls == 1)
            #expect(throws: UVError(.invalidArgument, operation: "uv_poll_start")) {
                try first.start(.readable) { _, _ in }
            }
        }
    }

    /// A stream's descriptor is rejected, because libuv already watches it.
    @Test func aStreamsDescriptorIsRefused() throws {
        try withLoop { loop in
            let connection = try Connection.make(on: loop)
            try connection.client.startReading { _, _ in }
            let descriptor = try connection.client.withUnsafeDescriptor { $0 }
            #expect(throws: UVError(.alreadyExists, operation: "uv_poll_init")) {
                try UVPoll(on: loop, descriptor: descriptor)
            }
            connection.close()
            try loop.run()
        }
    }

    /// Behaviour 55: no event is reported after a close, and every close completes.
    @Test func closingManyWatchersThatAreReadyCompletesEachOnce() throws {
        try withLoop { loop in
            let pairs = try (0..<20).map { _ in try LocalPair() }
            // Swift may release an array after its last use, and the pairs would close their descriptors.
            defer { withExtendedLifetime(pairs) {} }
            var (calls, closed) = (0, 0)
            let watchers = try pairs.map { pair in
                let poll = try UVPoll(on: loop, descriptor: pair.first)
                try poll.start([.readable, .writable]) { _, _ in calls += 1 }
                return poll
            }
            for watcher in watchers { watcher.close { closed += 1 } }
            #expect(closed == 0)
            // After the call to `close`, the descriptor may be closed and its number reused.
            let number = pairs[0].first
            try replace(number, by: try makeDatagramDescriptor())
            let other = try UVPoll(on: loop, descriptor: number)
            try other.start(.writable) { poll, _ in poll.close() }
            try loop.run()
            #expect(closed == 20)
            #expect(calls == 0)
            #expect(other.isClosed)
        }
    }

    @Test func theFirstToBeCalledMayCloseTheOthers() throws {
        try withLoop { loop in
            let pairs = try (0..<5).map { _ in try LocalPair() }
            // Swift may release an array after its last use, and the pairs would close their descriptors.
            defer { withExtendedLifetime(pairs) {} }
            var (watchers, calls): ([UVPoll], Int) = ([], 0)
            for pair in pairs {
                let poll = try UVPoll(on: loop, descriptor: pair.first)
                try poll.start(.writable) { _, _ in
                    calls += 1
                    for watcher in watchers { watcher.close() }
                }
                watchers.append(poll)
            }
            try loop.run()
            #expect(calls == 1)
            #expect(watchers.allSatisfy { $0.isClosed })
        }
    }

    @Test func anEventLastsUntilItIsDealtWith() throws {
        try withLoop { loop in
            let pair = try LocalPair()
            let poll = try UVPoll(on: loop, descriptor: pair.first)
            var events: [UVPoll.Events] = []
            try poll.start([.readable, .disconnect]) { _, result in events.append((try? result.get()) ?? []) }
            writeBytes(1, to: pair.second)
            for _ in 0..<3 { try loop.run(.noWait) }
            #expect(events == [.readable, .readable, .readable])
            #expect(readBytes(10, from: pair.first) == 1)
            for _ in 0..<3 { try loop.run(.noWait) }
            #expect(events.count == 3)
            endSending(pair.second)
            try loop.runUntil { events.count == 4 }
            #expect(events.last == [.readable, .disconnect])
            try poll.start([]) { _, _ in }
            #expect(!poll.isActive)
        }
    }

    /// Only the requested events are reported, and a change takes effect at once.
    @Test func aChangeKeepsTheClosure() throws {
        try withLoop { loop in
            let pair = try LocalPair()
            writeBytes(1, to: pair.second)
            let poll = try UVPoll(on: loop, descriptor: pair.first)
            var events: [UVPoll.Events] = []
            try poll.start(.writable) { poll, result in
                events.append((try? result.get()) ?? [])
                if events.count == 1 { try? poll.change(to: .readable) } else { poll.close() }
            }
            try loop.run()
            #expect(events == [.writable, .readable])
        }
    }

    @Test func anUrgentByteIsReported() throws {
        try withLoop { loop in
            let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false)
            let client = try StreamSocket.connect(to: try listener.localAddress, timeout: .seconds(5))
            guard case .connection(let accepted) = try listener.accept(isNonBlocking: true) else { return }
            let poll = try UVPoll(on: loop, descriptor: accepted.rawValue)
            var events: UVPoll.Events = []
            try poll.start(.prioritized) { poll, result in
                events = (try? result.get()) ?? []
                poll.close()
            }
            #expect(sendUrgentByte(client.rawValue))
            try loop.run()
            #expect(events == .prioritized)
        }
    }

    /// An error of the descriptor stops the watcher, and is reported once.
    @Test func aPipeWithoutReaderIsABadDescriptor() throws {
        try withLoop { loop in
            let pipe = try PipePair()
            let poll = try UVPoll(on: loop, descriptor: pipe.writer)
            var results: [Result<UVPoll.Events, UVError>] = []
            while writeBytes(65_536, to: pipe.writer) > 0 {}
            try poll.start([.writable]) { _, result in results.append(result) }
            try loop.run(.noWait)
            #expect(results.isEmpty)
            pipe.closeReader()
            try loop.run()
            #expect(results == [.failure(UVError(.badDescriptor, operation: "uv_poll_start"))])
            #expect(!poll.isActive)
        }
    }

    /// Tests pitfall 12 of docs/behaviours.md.
    @Test func aWatchersClosureIsReleasedByItsClose() throws {
        weak var weakPoll: UVPoll?
        try withLoop { loop in
            let pair = try LocalPair()
            let poll = try UVPoll(on: loop, descriptor: pair.first)
            weakPoll = poll
            try poll.start(.readable) { _, _ in _ = poll }
            poll.close()
            try loop.run()
        }
        #expect(weakPoll == nil)
    }
}
