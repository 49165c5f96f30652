import Foundation
import LibUV
import Testing

/// Tests of statements in the article "What is not guaranteed" that name a behaviour.
@Suite(.timeLimit(.minutes(1))) struct PromiseTests {
    private enum Request {
        @TaskLocal static var number = 0
    }

    /// "Task-local values in work": every task-local value has its default there.
    ///
    /// Promise of the article "What is not guaranteed".
    @Test func workSeesNoTaskLocalValues() throws {
        try withTask { loop in
            let numbers = try await Request.$number.withValue(7) {
                let seen = try await loop.work { Request.number }
                return [Request.number, seen]
            }
            #expect(numbers == [7, 0])
        }
    }

    /// "Priorities of tasks": the loop ignores them.
    ///
    /// Promise of the article "What is not guaranteed".
    @Test func tasksRunInOrderWhateverTheirPriority() throws {
        try withTask { loop in
            let order = Order()
            let tasks = [TaskPriority.background, .high, .low, .userInitiated].enumerated().map { index, priority in
                Task(executorPreference: loop, priority: priority) { order.append(index) }
            }
            for task in tasks { await task.value }
            #expect(order.values == [0, 1, 2, 3])
        }
    }

    /// Promise of the article "Errors": sizes of the kernel's buffers, the backlog and limits are clamped.
    @Test func sizesAndLimitsAreClamped() throws {
        for size in [Int.min, -1, 0, Int.max] {
            try withTask { loop in
                do {
                    let buffer = loop.makeBuffer(capacity: min(size, 0))
                    let isEmpty = buffer.isEmpty
                    #expect(isEmpty)
                }
                try await loop.withTCPListener(on: .loopback(port: 0), backlog: size) { connections in
                    let stream = try UVTCPStream(on: loop)
                    try stream.connect(to: connections.localAddress) { _ in }
                    let accepted = try #require(try await connections.next())
                    if size > 0 {
                        try stream.setSendBufferSize(size)
                        try stream.setReceiveBufferSize(size)
                    } else {
                        #expect(throws: UVError(.invalidArgument, operation: "uv_send_buffer_size")) {
                            try stream.setSendBufferSize(size)
                        }
                    }
                    let client = try UVConnection(stream, readLimit: size, highWaterMark: size)
                    try await client.write("hello")
                    try await client.shutdown()
                    let bytes = try await accepted.readAll()
                    #expect(bytes == Array("hello".utf8))
                    await client.close()
                    await accepted.close()
                }
            }
            let loop = try UVLoop(configuration: .init(readBufferSize: min(size, 1), pooledByteLimit: size))
            try loop.close()
        }
    }

    // @unchecked Sendable: used only on the loop's thread.
    private final class Order: @unchecked Sendable {
        private(set) var values: [Int] = []
        func append(_ value: Int) { values.append(value) }
    }

    /// "Errors instead of aborts in libuv": the library checks that the threads of the pool can be started.
    ///
    /// Runs in its own process, because it limits the memory of the process.
    ///
    /// Promises of the articles "Coming from libuv in C" and "What is not guaranteed".
    @Test(.enabled(if: !isSanitized, "a sanitizer needs more address space"))
    func theFirstRequestThrowsIfThePoolCannotStart() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            var limit = rlimit()
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            let before = limit
            let statistics = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
            let pages = try #require(statistics.split(separator: " ").first.flatMap { UInt($0) })
            // There is room for the stack of one thread, and not for those of four.
            limit.rlim_cur = pages * UInt(getpagesize()) + (20 << 20)
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            var failure: UVError?
            do throws(UVError) { _ = try loop.work({ 1 }) { _ in Issue.record("completed") } } catch { failure = error }
            limit = before
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            #expect(failure?.operation == "uv_queue_work")
            var results: [Int] = []
            _ = try loop.work({ 1 }) { results.append((try? $0.get()) ?? 0) }
            try loop.run()
            #expect(results == [1])
            try loop.close()
        }
    }
}
