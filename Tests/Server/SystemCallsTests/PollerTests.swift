import SystemCalls
import Testing

/// Tests that every poller fulfils the contract of `Poller`.
@Suite struct PollerTests {
    /// The checks of one poller, as closures.
    ///
    /// The poller itself cannot be a test argument, because its type is noncopyable.
    struct Subject: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let limit: Int?
        let reportsWhatIsReady: @Sendable () throws -> Void
        let reportsAsLongAsItIsReady: @Sendable () throws -> Void
        let followsInterests: @Sendable () throws -> Void
        let rejectsMisuse: @Sendable () throws -> Void

        init<Waiting: Poller & ~Copyable>(_ name: String, _ poller: Waiting.Type) {
            testDescription = name
            limit = Waiting.descriptorLimit
            reportsWhatIsReady = { try PollerTests.checkReady(Waiting.self) }
            reportsAsLongAsItIsReady = { try PollerTests.checkLevel(Waiting.self) }
            followsInterests = { try PollerTests.checkInterests(Waiting.self) }
            rejectsMisuse = { try PollerTests.checkMisuse(Waiting.self) }
        }
    }

    static let subjects = [
        Subject("select", SelectPoller.self), Subject("poll", PollPoller.self), Subject("epoll", EpollPoller.self),
    ]

    @Test(arguments: subjects) func reportsOnlyReadyDescriptors(_ subject: Subject) throws {
        try subject.reportsWhatIsReady()
    }
    @Test(arguments: subjects) func isLevelTriggered(_ subject: Subject) throws {
        try subject.reportsAsLongAsItIsReady()
    }
    @Test(arguments: subjects) func followsInterests(_ subject: Subject) throws { try subject.followsInterests() }
    @Test(arguments: subjects) func rejectsMisuse(_ subject: Subject) throws { try subject.rejectsMisuse() }

    private static func checkReady<Waiting: Poller & ~Copyable>(_ type: Waiting.Type) throws {
        var poller = try Waiting()
        let wakeUps = [try WakeUp(), try WakeUp(), try WakeUp()] as InlineArray<3, WakeUp>
        for index in 0..<3 { try poller.add(wakeUps[index].rawValue, .readable) }
        #expect(try poller.wait(timeout: .zero) == 0)
        wakeUps[1].signal()
        #expect(try poller.wait(timeout: nil) == 1)
        #expect(poller.ready(at: 0).descriptor == wakeUps[1].rawValue)
        #expect(poller.ready(at: 0).readiness == .readable)
        wakeUps[2].signal()
        #expect(try poller.wait(timeout: nil) == 2)
        let found = Set((0..<2).map { poller.ready(at: $0).descriptor })
        #expect(found == [wakeUps[1].rawValue, wakeUps[2].rawValue])
    }

    private static func checkLevel<Waiting: Poller & ~Copyable>(_ type: Waiting.Type) throws {
        var poller = try Waiting()
        let wakeUp = try WakeUp()
        try poller.add(wakeUp.rawValue, .readable)
        wakeUp.signal()
        for _ in 0..<3 { #expect(try poller.wait(timeout: .zero) == 1) }
        wakeUp.clear()
        #expect(try poller.wait(timeout: .milliseconds(1)) == 0)
    }

    private static func checkInterests<Waiting: Poller & ~Copyable>(_ type: Waiting.Type) throws {
        var poller = try Waiting()
        let first = try WakeUp()
        let second = try WakeUp()
        // An eventfd, which `WakeUp` uses, is always writable.
        try poller.add(first.rawValue, [.readable, .writable])
        try poller.add(second.rawValue, .readable)
        #expect(try poller.wait(timeout: nil) == 1)
        #expect(poller.ready(at: 0).readiness == .writable)
        first.signal()
        #expect(try poller.wait(timeout: nil) == 1)
        #expect(poller.ready(at: 0).readiness == [.readable, .writable])
        try poller.modify(first.rawValue, [])
        #expect(try poller.wait(timeout: .zero) == 0)
        try poller.modify(first.rawValue, .readable)
        #expect(try poller.wait(timeout: .zero) == 1)
        try poller.remove(first.rawValue)
        #expect(try poller.wait(timeout: .zero) == 0)
        second.signal()
        #expect(try poller.wait(timeout: nil) == 1)
        #expect(poller.ready(at: 0).descriptor == second.rawValue)
        // A removed descriptor can be added again.
        try poller.add(first.rawValue, .readable)
        #expect(try poller.wait(timeout: nil) == 2)
    }

    private static func checkMisuse<Waiting: Poller & ~Copyable>(_ type: Waiting.Type) throws {
        var poller = try Waiting()
        let wakeUp = try WakeUp()
        try poller.add(wakeUp.rawValue, .readable)
        #expect(throws: SystemCallError.self) { try poller.add(wakeUp.rawValue, .readable) }
        try poller.remove(wakeUp.rawValue)
        #expect(throws: SystemCallError.self) { try poller.modify(wakeUp.rawValue, .readable) }
        #expect(throws: SystemCallError.self) { try poller.remove(wakeUp.rawValue) }
        #expect(throws: SystemCallError.self) { try poller.add(-1, .readable) }
        if let limit = Waiting.descriptorLimit {
            #expect(throws: SystemCallError.self) { try poller.add(Int32(limit), .readable) }
        }
    }
}
