import LibUV
import SystemCalls
import Testing

/// Tests of work on the thread pool, of random bytes, and of cancelling requests.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct WorkTests {
    /// Tests behaviour 24 of docs/behaviours.md.
    ///
    /// Promises of the articles "LibUV" and "What is not guaranteed".
    @Test func workRunsOffTheLoopAndCompletesOnIt() throws {
        try withLoop { loop in
            var completions = 0
            let request = try loop.work {
                loop.isOnThread
            } completion: { result in
                completions += 1
                #expect((try? result.get()) == false)
                #expect(loop.isOnThread)
            }
            #expect(request.typeName == "work")
            #expect(request.isPending)
            #expect(completions == 0)
            try loop.run()
            #expect(completions == 1)
            #expect(!request.isPending)
            #expect(throws: UVError(.busy, operation: "uv_cancel")) { try request.cancel() }
        }
    }

    private struct Refusal: Error, Equatable { let reason: String }

    @Test func whatWorkThrowsComesBack() throws {
        try withLoop { loop in
            var refusals: [Refusal] = []
            try loop.work {
                throw Refusal(reason: "no")
            } completion: { (result: Result<Int, any Error>) in
                if case .failure(let error as Refusal) = result { refusals.append(error) }
            }
            try loop.run()
            #expect(refusals == [Refusal(reason: "no")])
        }
    }

    private final class Parcel { var items: [Int] = [] }

    /// The input and the result of work need not be `Sendable`, because the library transfers them between threads.
    @Test func workHandsItsResultOver() throws {
        try withLoop { loop in
            let parcel = Parcel()
            parcel.items = [0]
            var items: [Int] = []
            try loop.work {
                let answer = Parcel()
                answer.items = parcel.items + [1]
                return answer
            } completion: { result in
                if case .success(let parcel) = result { items = parcel.items + [2] }
            }
            try loop.run()
            #expect(items == [0, 1, 2])
        }
    }

    /// Behaviour 25, pitfall 40: cancelled work never runs, and its completion runs later, exactly once.
    ///
    /// Promise of the article "Threads and executors".
    @Test func queuedWorkIsCancelledAndCompletesOnce() throws {
        try withLoop { loop in
            let pool = try BusyPool(on: loop)
            let record = Record()
            let request = try loop.work {
                Issue.record("the cancelled work ran")
            } completion: { result in
                if let error = result.failure { record.note("\(error)") }
            }
            try request.cancel()
            #expect(record.events.isEmpty)
            #expect(request.isPending)
            #expect(throws: UVError(.busy, operation: "uv_cancel")) { try request.cancel() }
            while request.isPending { try loop.run(.once) }
            pool.release()
            try loop.run()
            #expect(record.events == ["uv_queue_work: ECANCELED (operation canceled)"])
            #expect(pool.completed == BusyPool.size)
        }
    }

    /// Behaviour 25: work that a thread has started cannot be cancelled; it completes.
    @Test func workThatRunsCannotBeCancelled() throws {
        try withLoop { loop in
            let state = Monitor((hasBegun: false, mayEnd: false))
            var results: [Int] = []
            let request = try loop.work {
                state.withLock { $0.hasBegun = true }
                state.notifyAll()
                return state.wait { $0.mayEnd ? 42 : nil }
            } completion: { result in
                if let number = try? result.get() { results.append(number) }
            }
            state.wait { $0.hasBegun ? () : nil }
            #expect(throws: UVError(.busy, operation: "uv_cancel")) { try request.cancel() }
            state.withLock { $0.mayEnd = true }
            state.notifyAll()
            try loop.run()
            #expect(results == [42])
        }
    }

    /// Pitfall 40: each kind of request can be cancelled, and reports the same error.
    @Test func everyKindOfRequestIsCancelledAlike() throws {
        try withLoop { loop in
            let pool = try BusyPool(on: loop)
            var names: [String] = []
            let note = { (error: (any Error)?) in names.append((error as? UVError)?.name ?? "none") }
            let requests = [
                try loop.work {
                } completion: {
                    note($0.failure)
                },
                try loop.random(byteCount: 8) { note($0.failure) },
                try loop.resolve("localhost") { note($0.failure) },
                try loop.resolveName(of: .loopback(port: 80)) { note($0.failure) },
            ]
            #expect(requests.map(\.typeName) == ["work", "random", "getaddrinfo", "getnameinfo"])
            for request in requests { try request.cancel() }
            while requests.contains(where: \.isPending) { try loop.run(.once) }
            pool.release()
            try loop.run()
            #expect(names == ["ECANCELED", "ECANCELED", "ECANCELED", "ECANCELED"])
        }
    }

    /// The completion of one request may cancel another.
    @Test func aCompletionMayCancelAnotherRequest() throws {
        try withLoop { loop in
            let pool = try BusyPool(on: loop)
            var names: [String] = []
            let second = try loop.work {
            } completion: {
                names.append(($0.failure as? UVError)?.name ?? "none")
            }
            let first = try loop.work {
            } completion: { result in
                names.append((result.failure as? UVError)?.name ?? "none")
                try? second.cancel()
            }
            try first.cancel()
            while second.isPending { try loop.run(.once) }
            pool.release()
            try loop.run()
            #expect(names == ["ECANCELED", "ECANCELED"])
        }
    }

    /// Tests behaviour 26 and pitfall 39 of docs/behaviours.md.
    @Test func loopsOnTwoThreadsShareThePool() throws {
        let counter = Counter()
        let threads = ThreadGroup()
        for _ in 0..<2 {
            try threads.start {
                try? withLoop { loop in
                    for _ in 0..<100 {
                        try loop.work {
                            counter.add()
                        } completion: { _ in
                            counter.addAccepted()
                        }
                    }
                    try loop.run()
                }
            }
        }
        threads.join()
        #expect(counter.value == 200)
        #expect(counter.accepted == 200)
    }

    /// Tests pitfall 39 of docs/behaviours.md in a process that has not used the thread pool before.
    ///
    /// Each of six work items waits until all six have started. With the default of four threads, the items would wait
    /// forever.
    ///
    /// Promise of the article "Threads and executors".
    @Test func thePoolIsAsLargeAsTheEnvironmentSays() async {
        await #expect(processExitsWith: .success) {
            try UVEnvironment.set("UV_THREADPOOL_SIZE", to: "6")
            try withLoop { loop in
                let begun = Monitor(0)
                var completed = 0
                for _ in 0..<6 {
                    try loop.work {
                        begun.withLock { $0 += 1 }
                        begun.notifyAll()
                        begun.wait { $0 == 6 ? () : nil }
                    } completion: { _ in
                        completed += 1
                    }
                }
                try loop.run()
                #expect(completed == 6)
            }
        }
    }

    @Test func closingALoopCancelsWhatWaitsAndAwaitsWhatRuns() throws {
        let loop = try UVLoop()
        let pool = try BusyPool(on: loop)
        var names: [String] = []
        let request = try loop.work {
            Issue.record("the cancelled work ran")
        } completion: { result in
            names.append((result.failure as? UVError)?.name ?? "none")
            pool.release()
        }
        #expect(try loop.close().isEmpty)
        #expect(names == ["ECANCELED"])
        #expect(pool.completed == BusyPool.size)
        #expect(!request.isPending)
        #expect(throws: UVError(.cancelled, operation: "uv_queue_work")) {
            try loop.work {
                0
            } completion: { _ in
            }
        }
        #expect(throws: UVError(.cancelled, operation: "uv_random")) { try loop.random(byteCount: 1) { _ in } }
    }

    /// Pitfall 12: the completion releases everything that the request captured, even if the request itself survives.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func aCompletedRequestReleasesWhatItCaptured() throws {
        try withLoop { loop in
            weak var captured: Parcel?
            let request: UVRequest
            do {
                let parcel = Parcel()
                captured = parcel
                request = try loop.work {
                } completion: { _ in
                    parcel.items.append(1)
                }
            }
            #expect(captured != nil)
            try loop.run()
            #expect(captured == nil)
            #expect(!request.isPending)
        }
    }

    /// Tests behaviour 27 of docs/behaviours.md.
    @Test func randomBytesFillTheirBuffer() throws {
        try withLoop { loop in
            var results: [[UInt8]] = []
            for count in [0, 1, 4096] { try loop.random(byteCount: count) { results.append((try? $0.get()) ?? [7]) } }
            try loop.run()
            #expect(results.map(\.count).sorted() == [0, 1, 4096])
            // The probability that 4096 random bytes contain fewer than half of the 256 values is practically zero.
            #expect(results.contains { Set($0).count > 128 })
        }
        #expect(try UVSystem.randomBytes(count: 0) == [])
        #expect(try UVSystem.randomBytes(count: 32) != (try UVSystem.randomBytes(count: 32)))
    }

    /// Behaviour 27, pitfall 9: a request that is rejected at once never completes.
    ///
    /// Promise of the article "Errors".
    @Test func tooManyRandomBytesAreRefused() throws {
        try withLoop { loop in
            let tooMany = Int(Int32.max) + 1
            #expect(throws: UVError(.argumentTooLong, operation: "uv_random")) {
                try loop.random(byteCount: tooMany) { _ in Issue.record("completed") }
            }
            #expect(throws: UVError(.invalidArgument, operation: "uv_random")) {
                try loop.random(byteCount: -1) { _ in Issue.record("completed") }
            }
            #expect(throws: UVError(.argumentTooLong, operation: "uv_random")) {
                try UVSystem.randomBytes(count: tooMany)
            }
            let isAlive = try loop.run()
            #expect(!isAlive)
        }
    }
}

/// Work that keeps every thread of libuv's pool busy until it is released, so that later work stays queued.
///
/// All tests share the pool. A test that blocks threads of the pool must not wait for its other work to start.
/// Otherwise, two tests could wait for each other forever.
final class BusyPool {
    /// The number of work items, which exceeds the number of threads in the pool.
    static let size = 8
    /// The number of threads in the pool, which all tests share.
    private static let threadCount = 4
    /// Held while the items are queued, so that the items of two tests do not alternate and block each other.
    private static let queue = Monitor(false)
    private let state = Monitor((begun: 0, isReleased: false))
    private(set) var completed = 0

    /// Returns when the items occupy all threads.
    init(on loop: UVLoop) throws {
        let state = self.state
        BusyPool.queue.wait { (isQueueing) -> Void? in
            if isQueueing { return nil }
            isQueueing = true
            return ()
        }
        defer {
            BusyPool.queue.withLock { $0 = false }
            BusyPool.queue.notifyAll()
        }
        for _ in 0..<BusyPool.size {
            try loop.work {
                state.withLock { $0.begun += 1 }
                state.notifyAll()
                state.wait { $0.isReleased ? () : nil }
            } completion: { [self] _ in
                completed += 1
            }
        }
        state.wait { $0.begun == BusyPool.threadCount ? () : nil }
    }

    func release() {
        state.withLock { $0.isReleased = true }
        state.notifyAll()
    }
}

extension Result {
    /// The error, if the result is a failure.
    var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
