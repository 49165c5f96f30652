import LibUV
import Synchronization
import SystemCalls
import Testing

/// Tests of the loop.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct LoopTests {
    /// Tests behaviour 1.
    @Test func checkCallbacksComeBeforeCloseCallbacks() throws {
        try withLoop { loop in
            let record = Record()
            let check = try UVCheck(on: loop)
            try check.start { check in
                record.note("check")
                check.stop()
                check.close { record.note("check closed") }
            }
            let timer = try UVTimer(on: loop)
            try timer.start(after: .zero) { timer in timer.close { record.note("timer closed") } }
            try loop.run()
            #expect(Set(record.events) == ["check", "check closed", "timer closed"])
            #expect(record.events.firstIndex(of: "check").map { $0 < 2 } == true)
            #expect(record.events.last != "check")
        }
    }

    /// Tests behaviour 2.
    @Test func onceRunsOneRoundAndNoWaitDoesNotWait() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            var calls = 0
            try timer.start(after: .seconds(20)) { _ in calls += 1 }
            #expect(try loop.run(.noWait))
            #expect(calls == 0)
            try timer.start(after: .milliseconds(5), repeating: .milliseconds(5)) { _ in calls += 1 }
            while calls == 0 { #expect(try loop.run(.once)) }
            #expect(calls == 1)
        }
    }

    /// Tests behaviour 3.
    @Test func isAliveWhileSomethingIsActive() throws {
        try withLoop { loop in
            #expect(!loop.isAlive)
            let timer = try UVTimer(on: loop)
            #expect(!loop.isAlive)
            try timer.start(after: .zero) { _ in }
            #expect(loop.isAlive)
            try loop.run()
            #expect(!loop.isAlive)
        }
    }

    /// Tests behaviours 4 and 5, and pitfall 36 of docs/behaviours.md.
    ///
    /// Promises of the articles "Coming from SwiftNIO", "Ownership and lifetime" and "What is not guaranteed".
    @Test func closingClosesWhatIsOpenAndNamesIt() throws {
        let loop = try UVLoop()
        let timer = try UVTimer(on: loop)
        try timer.start(after: .seconds(1000)) { _ in }
        let listener = try UVTCPListener(on: loop)
        var closed = 0
        timer.close { closed += 1 }
        #expect(closed == 0)
        let open = try loop.close()
        #expect(closed == 1)
        // `close` names only the listener, because the timer was already closing.
        #expect(open.map(\.type) == ["tcp"])
        #if DEBUG
            #expect(open.first?.location?.file.hasSuffix("LoopTests.swift") == true)
        #endif
        #expect(listener.isClosed)
        #expect(try loop.close().isEmpty)
        #expect(throws: UVError.self) { try loop.run() }
        #expect(throws: UVError(.cancelled, operation: "uv_timer_init")) { try UVTimer(on: loop) }
    }

    /// Tests behaviour 6 and pitfall 37 of docs/behaviours.md.
    ///
    /// Promise of the article "Threads and executors".
    @Test func stopEndsTheRunAfterThisRoundAndBeforeRunTheNext() throws {
        try withLoop { loop in
            var calls = 0
            let idle = try UVIdle(on: loop)
            try idle.start { _ in
                calls += 1
                if calls == 3 { loop.stop() }
            }
            try loop.run()
            #expect(calls == 3 || calls == 4)
            let before = calls
            loop.stop()
            try loop.run(.noWait)
            #expect(calls <= before + 1)
            idle.stop()
            try loop.run()
        }
    }

    /// Tests pitfall 37 of docs/behaviours.md.
    @Test func runWithinACallbackIsRefused() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            var refusals: [UVError] = []
            try timer.start(after: .zero) { _ in
                do throws(UVError) { try loop.run() } catch { refusals.append(error) }
                do throws(UVError) { try loop.close() } catch { refusals.append(error) }
            }
            try loop.run()
            #expect(refusals.map(\.operation) == ["uv_run", "uv_loop_close"])
            #expect(refusals.allSatisfy { $0.code == .busy })
        }
    }

    /// Tests behaviour 7 and pitfall 34 of docs/behaviours.md.
    ///
    /// Promise of the article "What is not guaranteed".
    @Test func theTimeIsCachedUntilItIsUpdated() throws {
        try withLoop { loop in
            let before = loop.now
            let end = ContinuousClock.now.advanced(by: .milliseconds(20))
            while ContinuousClock.now < end {}
            #expect(loop.now == before)
            loop.updateTime()
            #expect(loop.now >= before + .milliseconds(19))
        }
    }

    /// Tests behaviour 7.
    @Test func theWaitingTimeFollowsWhatIsActive() throws {
        try withLoop { loop in
            #expect(loop.waitingTime == .zero)
            let timer = try UVTimer(on: loop)
            try timer.start(after: .seconds(500)) { _ in }
            // libuv starts to watch its own descriptors in the first iteration. Before that, the loop would not wait.
            try loop.run(.noWait)
            // This timer is due in 500 seconds, and the timer of `withLoop` in 30 seconds.
            #expect(loop.waitingTime.map { $0 > .seconds(10) } == true)
            let idle = try UVIdle(on: loop)
            try idle.start { _ in }
            #expect(loop.waitingTime == .zero)
            #expect(loop.backendDescriptor >= 0)
        }
    }

    /// Tests behaviour 8.
    @Test func walkSeesEachOpenHandleOnce() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            let prepare = try UVPrepare(on: loop)
            var seen: [ObjectIdentifier] = []
            loop.walk { seen.append(ObjectIdentifier($0)) }
            #expect(seen.filter { $0 == ObjectIdentifier(timer) || $0 == ObjectIdentifier(prepare) }.count == 2)
            let count = seen.count
            timer.close()
            prepare.close()
            try loop.run()
            seen = []
            loop.walk { seen.append(ObjectIdentifier($0)) }
            #expect(seen.count == count - 2)
        }
    }

    /// Tests behaviour 9.
    @Test func onlyTheProfilersSignalCanBeBlocked() throws {
        try withLoop { loop in
            #expect(throws: UVError(.invalidArgument, operation: "uv_loop_configure")) { try loop.blockSignal(15) }
            try loop.blockSignal(27)
            try loop.measureIdleTime()
            #expect(loop.idleTime >= .zero)
        }
    }

    @Test func aClosedLoopIsNotConfigured() throws {
        let loop = try UVLoop()
        try loop.close()
        #expect(throws: UVError(.cancelled, operation: "uv_loop_configure")) { try loop.measureIdleTime() }
        #expect(throws: UVError(.cancelled, operation: "uv_loop_configure")) { try loop.blockSignal(27) }
        #expect(loop.idleTime == .zero)
    }

    /// Tests behaviour 10 of docs/behaviours.md.
    @Test func referencesAndActivityAreIndependent() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            #expect(!timer.isActive && timer.hasRef && !timer.isClosing)
            try timer.start(after: .seconds(1000)) { _ in }
            timer.unref()
            timer.unref()
            #expect(timer.isActive && !timer.hasRef)
            // No handle with a reference is active, so `run` returns at once.
            #expect(try !loop.run())
            timer.ref()
            timer.ref()
            #expect(timer.hasRef)
            timer.close()
            #expect(timer.isClosing && !timer.isClosed)
            try loop.run()
            #expect(timer.isClosed)
        }
    }

    /// Tests behaviour 11 and pitfall 32 of docs/behaviours.md.
    @Test func anIdleWatcherStarvesNobody() throws {
        try withLoop { loop in
            let idle = try UVIdle(on: loop)
            var rounds = 0
            try idle.start { _ in rounds += 1 }
            let timer = try UVTimer(on: loop)
            try timer.start(after: .milliseconds(10)) { timer in
                idle.close()
                timer.close()
            }
            try loop.run()
            #expect(rounds > 1)
        }
    }

    /// Tests behaviour 12 of docs/behaviours.md.
    @Test func aWatcherThatIsStoppedByAnotherIsNotCalled() throws {
        try withLoop { loop in
            let (first, second) = (try UVPrepare(on: loop), try UVPrepare(on: loop))
            var calls = 0
            try first.start { _ in
                calls += 1
                second.close()
                first.close()
            }
            try second.start { _ in
                calls += 1
                first.close()
                second.close()
            }
            let idle = try UVIdle(on: loop)
            try idle.start { idle in idle.close() }
            try loop.run()
            #expect(calls == 1)
        }
    }

    /// Tests behaviour 22 and pitfall 31 of docs/behaviours.md.
    ///
    /// Promises of the articles "LibUV", "Threads and executors" and "What is not guaranteed".
    @Test func everyJobOfThousandsFromManyThreadsRunsOnceAndInOrder() throws {
        try withLoop { loop in
            let seen = Sequences()
            let keeper = try UVAsync(on: loop) { _ in }
            let threads = ThreadGroup()
            for thread in 0..<4 {
                try threads.start {
                    for index in 0..<2000 {
                        try? loop.execute { if seen.append(index, of: thread) == 8000 { loop.stop() } }
                    }
                }
            }
            try loop.run()
            threads.join()
            for thread in 0..<4 { #expect(seen.numbers(of: thread) == Array(0..<2000)) }
            keeper.close()
            try loop.run()
        }
    }

    /// Tests pitfall 32 of docs/behaviours.md.
    @Test func jobsThatMakeJobsDoNotStarveATimer() throws {
        try withLoop { loop in
            final class Chain: Sendable {
                let isOver = Atomic<Bool>(false)
                func link(_ loop: UVLoop) {
                    if !isOver.load(ordering: .relaxed) { try? loop.execute { self.link(loop) } }
                }
            }
            let chain = Chain()
            chain.link(loop)
            let timer = try UVTimer(on: loop)
            try timer.start(after: .milliseconds(10)) { timer in
                chain.isOver.store(true, ordering: .relaxed)
                timer.close()
            }
            try loop.run()
            let isOver = chain.isOver.load(ordering: .relaxed)
            #expect(isOver)
        }
    }

    /// Promises of the articles "Ownership and lifetime" and "Threads and executors".
    @Test func jobsBeforeRunAndAfterStopAreNotLostAndNoneRunsAfterClose() throws {
        let loop = try UVLoop()
        let counter = Counter()
        try loop.execute { counter.add() }
        try loop.run()
        #expect(counter.value == 1)
        loop.stop()
        try loop.run()
        try loop.execute { counter.add() }
        try loop.close()
        #expect(counter.value == 2)
        #expect(throws: UVError(.cancelled, operation: "UVLoop.execute")) { try loop.execute { counter.add() } }
        #expect(counter.value == 2)
    }

    /// Tests pitfall 30 of docs/behaviours.md.
    ///
    /// Promises of the articles "Ownership and lifetime" and "Threads and executors".
    @Test func executingWhileTheLoopClosesIsSafe() throws {
        for _ in 0..<50 {
            let loop = try UVLoop()
            let counter = Counter()
            let threads = ThreadGroup()
            for _ in 0..<2 {
                try threads.start {
                    while true {
                        counter.addAccepted()
                        do { try loop.execute { counter.add() } } catch {
                            counter.subtractAccepted()
                            return
                        }
                    }
                }
            }
            try loop.run(.noWait)
            try loop.close()
            threads.join()
            // The loop has run every job that it accepted, and no job that it rejected.
            #expect(counter.value == counter.accepted)
        }
    }

    /// Pitfall 38: two loops on two threads are independent, because there is no global loop.
    @Test func twoLoopsRunOnTwoThreads() throws {
        let threads = ThreadGroup()
        let counter = Counter()
        for _ in 0..<2 {
            try threads.start {
                try? withLoop { loop in
                    let timer = try UVTimer(on: loop)
                    try timer.start(after: .milliseconds(1)) { _ in counter.add() }
                    try loop.run()
                }
            }
        }
        threads.join()
        #expect(counter.value == 2)
    }

    /// Promise of the article "Threads and executors".
    @Test func aLoopMayBeRunOnAnotherThreadThanItsMaker() throws {
        let loop = try UVLoop()
        let counter = Counter()
        try loop.execute { counter.add() }
        let threads = ThreadGroup()
        try threads.start {
            _ = try? loop.run()
            _ = try? loop.close()
        }
        threads.join()
        #expect(counter.value == 1)
    }
}

/// A counter that several threads increment.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    private let acceptedCount = Atomic<Int>(0)
    func add(_ amount: Int = 1) { count.add(amount, ordering: .sequentiallyConsistent) }
    func addAccepted() { acceptedCount.add(1, ordering: .sequentiallyConsistent) }
    func subtractAccepted() { acceptedCount.subtract(1, ordering: .sequentiallyConsistent) }
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    var accepted: Int { acceptedCount.load(ordering: .sequentiallyConsistent) }
}

/// Lists of the numbers that jobs append, one list for each thread.
final class Sequences: Sendable {
    private let numbers = Monitor<[Int: [Int]]>([:])
    func numbers(of thread: Int) -> [Int] { numbers.withLock { $0[thread] ?? [] } }

    /// Appends a number to a thread's list, and returns the number of entries in all lists.
    func append(_ number: Int, of thread: Int) -> Int {
        numbers.withLock { numbers in
            numbers[thread, default: []].append(number)
            return numbers.values.reduce(0) { $0 + $1.count }
        }
    }
}

/// A group of threads that are joined in one call.
final class ThreadGroup {
    private final class Member {
        var thread: PosixThread?
        init(_ thread: consuming PosixThread) { self.thread = consume thread }
    }
    private var members: [Member] = []

    func start(_ body: @escaping @Sendable () -> Void) throws { members.append(Member(try PosixThread(body))) }
    func join() {
        for member in members { member.thread.take()?.join() }
        members = []
    }
}
