import LibUV
import SystemCalls
import Testing

/// Tests of how long handles live, and on which threads they may be used.
///
/// docs/behaviours.md lists the pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct LifetimeTests {
    /// Pitfalls 1 and 3: an open handle keeps itself alive; a closed handle is released.
    ///
    /// Promises of the articles "Coming from libuv in C", "LibUV", "Ownership and lifetime" and "What is not
    /// guaranteed".
    @Test func anOpenHandleKeepsItselfAliveUntilItHasClosed() throws {
        weak var timer: UVTimer?
        var calls = 0
        try withLoop { loop in
            do {
                let local = try UVTimer(on: loop)
                timer = local
                try local.start(after: .zero) { timer in
                    calls += 1
                    timer.close()
                }
            }
            #expect(timer != nil)
            try loop.run()
            #expect(calls == 1)
            #expect(timer == nil)
        }
    }

    /// Pitfall 3: another thread may drop the last reference to a closed stream.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func theLastReferenceMayGoOnAnotherThread() throws {
        try withLoop { loop in
            for _ in 0..<100 {
                let box = Box(try UVTCPStream(on: loop))
                box.stream?.close()
                try loop.run()
                let threads = ThreadGroup()
                try threads.start { box.stream = nil }
                threads.join()
            }
        }
    }

    // @unchecked Sendable: a second thread uses the box only while the first thread waits to join it.
    private final class Box: @unchecked Sendable {
        var stream: UVTCPStream?
        init(_ stream: UVTCPStream) { self.stream = stream }
    }

    /// Pitfall 4: a handle that is dropped while it closes stays alive until it has closed.
    ///
    /// Promises of the articles "Coming from libuv in C" and "Ownership and lifetime".
    @Test func aHandleThatIsDroppedWhileClosingCompletes() throws {
        try withLoop { loop in
            var closed = 0
            for _ in 0..<10 { try UVTCPStream(on: loop).close { closed += 1 } }
            #expect(closed == 0)
            try loop.run()
            #expect(closed == 10)
        }
    }

    /// Tests pitfall 2.
    ///
    /// Promises of the articles "Coming from libuv in C" and "Ownership and lifetime".
    @Test func closingInTheCloseCompletionDoesNothing() throws {
        try withLoop { loop in
            let timer = try UVTimer(on: loop)
            var closed = 0
            timer.close {
                closed += 1
                timer.close()
            }
            try loop.run()
            #expect(closed == 1)
        }
    }

    /// Pitfall 12: the close releases everything that the stream's closure captured.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func aStreamsClosureIsReleasedByItsClose() throws {
        final class Handler {}
        weak var leaked: Handler?
        weak var stream: UVTCPStream?
        try withLoop { loop in
            let connection = try Connection.make(on: loop)
            let handler = Handler()
            leaked = handler
            stream = connection.client
            let client = connection.client
            try client.startReading { _, _ in _ = (handler, client) }
            connection.close()
            try loop.run()
        }
        #expect(leaked == nil)
        #expect(stream == nil)
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func aLoopThatIsDroppedWithoutACloseFreesItself() throws {
        weak var dropped: UVLoop?
        do {
            let loop = try UVLoop()
            dropped = loop
            let timer = try UVTimer(on: loop)
            timer.close()
            try loop.run()
        }
        #expect(dropped == nil)
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func aBufferMayOutliveItsLoop() throws {
        var buffer: Optional = try UVLoop.with { loop throws(UVError) in Kept(loop.makeBuffer(capacity: 100)) }
        #expect(buffer?.count == 0)
        buffer = nil
        do {
            let loop = try UVLoop()
            buffer = Kept(loop.makeBuffer(capacity: 100))
        }
        buffer = nil
    }

    private final class Kept {
        private let buffer: UVBuffer
        init(_ buffer: consuming UVBuffer) { self.buffer = buffer }
        var count: Int { buffer.count }
    }

    /// Pitfall 13: a handle whose initialization fails leaves nothing behind.
    @Test func aHandleOnAClosedLoopCannotBeMade() throws {
        let loop = try UVLoop()
        try loop.close()
        #expect(throws: UVError.self) { try UVTCPStream(on: loop) }
        #expect(throws: UVError.self) { try UVTCPListener(on: loop) }
        #expect(throws: UVError.self) { try UVSignal(on: loop) }
        #expect(throws: UVError.self) { try UVAsync(on: loop) { _ in } }
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func closingALoopCompletesEverythingThatIsOpen() throws {
        let loop = try UVLoop()
        let connection = try Connection.make(on: loop)
        let record = Record()
        let collected = Collected()
        try connection.client.collect(collected)
        for _ in 0..<4 {
            try connection.client.write(connection.client.buffer([UInt8](repeating: 1, count: 4 << 20))) { result in
                if case .failure(let error) = result { record.note(error.name) } else { record.note("written") }
            }
        }
        try UVSignal(on: loop).start(10) { _, _ in }
        try UVIdle(on: loop).start { _ in }
        let connecting = try UVTCPStream(on: loop)
        try? connecting.connect(to: try SocketAddress(parsing: "192.0.2.1:9")) { _ in record.note("connect") }
        #expect(try loop.close().count >= 5)
        #expect(record.count("connect") == 1)
        #expect(record.events.count == 5)
        #expect(collected.closedCount == 1)
        #expect(loop.statistics.buffers.inFlight == 0 && loop.statistics.buffers.made == 0)
    }

    /// Promise of the article "Ownership and lifetime".
    @Test func aScopeClosesOnEveryWayOut() throws {
        var loop: UVLoop?
        #expect(throws: UVError(.cancelled, operation: "test")) {
            try UVLoop.with { inner throws(UVError) in
                loop = inner
                throw UVError(.cancelled, operation: "test")
            }
        }
        #expect(throws: UVError(.cancelled, operation: "uv_run")) { try loop?.run() }
    }

    #if DEBUG
        /// Pitfall 29: in debug builds, a loop traps if it is used on a thread other than its own.
        ///
        /// Promises of the articles "Coming from SwiftNIO", "Errors" and "Threads and executors".
        @Test func useOffTheLoopsThreadTraps() async {
            await #expect(processExitsWith: .failure) {
                let loop = try UVLoop()
                let threads = ThreadGroup()
                try threads.start { loop.updateTime() }
                threads.join()
            }
        }
    #endif

    /// Tests pitfall 22.
    ///
    /// The test runs in its own process, in which SIGPIPE has its default action.
    ///
    /// Promises of the articles "Coming from libuv in C" and "Errors".
    @Test func aPeersResetDoesNotKillTheProcess() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            let connection = try Connection.make(on: loop)
            try connection.server.closeReset()
            while !connection.server.isClosed { try loop.run(.once) }
            for _ in 0..<3 { _ = try? connection.client.tryWrite([1].span) }
            try loop.close()
        }
    }
}

/// Tests of wake-up handles and signals.
@Suite(.timeLimit(.minutes(1)), .serialized) struct AsyncAndSignalTests {
    /// Tests behaviour 22 and pitfall 31 of docs/behaviours.md.
    ///
    /// Promises of the articles "Threads and executors" and "What is not guaranteed".
    @Test func aSendFromAThreadWakesTheLoopAtLeastOnce() throws {
        try withLoop { loop in
            let counter = Counter()
            var calls = 0
            let async = try UVAsync(on: loop) { async in
                calls += 1
                if counter.value == 1000 { async.close() }
            }
            let sender = async.sender
            let threads = ThreadGroup()
            try threads.start {
                for _ in 0..<1000 {
                    counter.add()
                    sender.send()
                }
            }
            try loop.run()
            threads.join()
            #expect(calls >= 1 && calls <= 1000)
            #expect(!sender.send())
        }
    }

    /// Tests behaviour 23 of docs/behaviours.md.
    @Test func aWakeUpWithoutReferenceLetsTheRunEnd() throws {
        try withLoop { loop in
            let async = try UVAsync(on: loop) { _ in }
            #expect(async.isActive)
            async.unref()
            #expect(try !loop.run())
        }
    }

    /// Tests pitfall 30 of docs/behaviours.md.
    ///
    /// Promise of the article "Threads and executors".
    @Test func sendingWhileTheHandleClosesIsSafe() throws {
        for _ in 0..<50 {
            try withLoop { loop in
                let async = try UVAsync(on: loop) { _ in }
                let sender = async.sender
                let threads = ThreadGroup()
                for _ in 0..<2 { try threads.start { while sender.send() {} } }
                try loop.run(.noWait)
                async.close()
                try loop.run()
                threads.join()
            }
        }
    }

    /// Tests behaviour 57 of docs/behaviours.md.
    @Test func signalsAreCountedAndAOneShotFiresOnce() throws {
        try withLoop { loop in
            let (watcher, once) = (try UVSignal(on: loop), try UVSignal(on: loop))
            var (calls, single) = (0, 0)
            try watcher.start(userSignal) { watcher, number in
                #expect(number == userSignal)
                calls += 1
                if calls == 3 { watcher.stop() } else { raiseUserSignal() }
            }
            try once.startOnce(userSignal) { _, _ in single += 1 }
            raiseUserSignal()
            try loop.run()
            #expect(calls == 3)
            #expect(single == 1)
            #expect(throws: UVError(.invalidArgument, operation: "uv_signal_start")) {
                try watcher.start(9) { _, _ in }
            }
            watcher.close()
            #expect(throws: UVError.self) { try watcher.start(userSignal) { _, _ in } }
        }
    }

    /// Tests behaviour 57 of docs/behaviours.md.
    @Test func severalLoopsGetTheSameSignal() throws {
        try withLoop { first in
            try withLoop { second in
                var calls = 0
                for loop in [first, second] {
                    try UVSignal(on: loop).start(userSignal) { watcher, _ in
                        calls += 1
                        watcher.close()
                    }
                }
                raiseUserSignal()
                try second.run()
                try first.run()
                #expect(calls == 2)
            }
        }
    }

    /// Tests behaviour 57 of docs/behaviours.md.
    @Test func aCloseWithAPendingSignalCompletes() throws {
        try withLoop { loop in
            let watcher = try UVSignal(on: loop)
            try watcher.start(userSignal) { _, _ in Issue.record("the callback ran after the close") }
            raiseUserSignal()
            var closed = 0
            watcher.close { closed += 1 }
            try loop.run()
            #expect(closed == 1)
        }
    }
}
