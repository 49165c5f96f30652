internal import Logging
internal import SystemCalls

// A fixed number of threads and a queue: accept, queue the client; each thread serves one client of the queue after the
// other, with the conversation of the sequential server (`SequentialServer.swift`). Memory and threads are bounded,
// however many clients connect. The model breaks where clients stay: as many silent clients as there are threads stop
// the service for all others, which wait in the queue and are rejected once it is full. It suits short conversations,
// and work that keeps a processor busy.

extension ServerModel {
    /// A fixed number of threads and a bounded queue.
    public static let threadPool = ServerModel(
        name: "thread-pool", summary: "a fixed number of threads that serve clients from a bounded queue",
        family: .blocking,
        capacity: .poolThreads,
        sources: ["Server/Servers/Models/ThreadPoolServer", "Server/Servers/Models/SequentialServer"]
    ) { BlockingServer<ThreadPoolDispatch>($0, $1) }
}

/// Queues each client for the threads of a pool.
struct ThreadPoolDispatch: ClientDispatch {
    private let workers: BlockingWorkers
    private let threads = ThreadGroup()
    private let queue = Monitor(Queue())

    private struct Queue {
        var waiting: [Int32] = []
        /// Threads that serve no client.
        var idleCount = 0
        var isClosed = false
    }

    init(_ workers: BlockingWorkers) throws(SystemCallError) {
        self.workers = workers
        let count = max(1, workers.operations.configuration.poolThreads)
        queue.withLock { $0.idleCount = count }
        for _ in 0..<count {
            do throws(SystemCallError) { try threads.start { [queue] in Self.work(workers, queue) } } catch {
                // A pool with fewer threads still serves; one without threads cannot.
                if threads.count == 0 { throw error }
                workers.operations.log.logger.warning(
                    "a thread of the pool could not be started", metadata: ["error": "\(error)"])
                queue.withLock { $0.idleCount -= 1 }
            }
        }
    }

    func dispatch(_ client: consuming StreamSocket) {
        let limit = workers.operations.configuration.poolQueueLimit
        let descriptor = client.release()
        let isQueued = queue.withLock { queue in
            if queue.waiting.count >= limit + queue.idleCount { return false }
            queue.waiting.append(descriptor)
            return true
        }
        if isQueued { return queue.notify() }
        workers.reject(StreamSocket(adopting: descriptor), .queue, "the queue of \(limit) clients is full")
    }

    func finish() {
        queue.withLock { $0.isClosed = true }
        queue.notifyAll()
        threads.joinAll()
    }

    /// Runs on each thread: serves one client of the queue after the other, until the queue is closed and empty.
    private static func work(_ workers: BlockingWorkers, _ queue: Monitor<Queue>) {
        while let next = queue.wait(until: { queue -> Int32?? in
            guard !queue.waiting.isEmpty else { return queue.isClosed ? .some(nil) : nil }
            queue.idleCount -= 1
            return .some(queue.waiting.removeFirst())
        }) {
            workers.serve(StreamSocket(adopting: next))
            queue.withLock { $0.idleCount += 1 }
        }
    }
}
