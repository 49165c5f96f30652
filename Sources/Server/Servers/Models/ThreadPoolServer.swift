internal import SystemCalls

// A fixed number of threads, and a queue: accept, queue the client; each thread serves one client of the queue
// after the other, with blocking calls. Memory and threads are bounded, whatever comes. The model breaks where
// clients stay: so many silent ones as there are threads stop the service for all others, which wait in the
// queue, and beyond its bound are refused. It suits short conversations, and work that takes a processor.

extension ServerModel {
    /// A fixed number of threads and a bounded queue.
    public static let threadPool = ServerModel(
        name: "thread-pool", summary: "a fixed number of threads, a bounded queue of clients before them",
        capacity: .poolThreads, sources: .blocking("ThreadPoolServer")
    ) { BlockingServer<ThreadPoolDispatch>(configuration: $0, logger: $1) }
}

/// Queues each client for the threads of a pool.
struct ThreadPoolDispatch: ClientDispatch {
    private let service: BlockingService
    private let threads = ThreadGroup()
    private let queue = Monitor(Queue())

    private struct Queue {
        var waiting: [Int32] = []
        /// Threads that have no client.
        var idleCount = 0
        var isClosed = false
    }

    init(_ service: BlockingService) throws(SystemCallError) {
        self.service = service
        queue.withLock { $0.idleCount = max(1, service.configuration.poolThreads) }
        for _ in 0..<max(1, service.configuration.poolThreads) {
            do throws(SystemCallError) { try threads.start { [queue] in Self.work(service, queue) } } catch {
                // With fewer threads the pool still serves; with none it cannot.
                if threads.count == 0 { throw error }
                service.report("a thread of the pool could not be started", error)
                queue.withLock { $0.idleCount -= 1 }
            }
        }
    }

    func take(_ client: consuming StreamSocket) {
        let limit = service.configuration.poolQueueLimit
        let descriptor = client.release()
        let isQueued = queue.withLock { queue in
            if queue.waiting.count >= limit + queue.idleCount { return false }
            queue.waiting.append(descriptor)
            return true
        }
        if isQueued { return queue.notify() }
        service.refuse(StreamSocket(adopting: descriptor), .queue, "the queue of \(limit) clients is full")
    }

    func finish() {
        queue.withLock { $0.isClosed = true }
        queue.notifyAll()
        threads.joinAll()
    }

    /// What each thread does: one client of the queue after the other, until the queue is closed and empty.
    private static func work(_ service: BlockingService, _ queue: Monitor<Queue>) {
        while let next = queue.wait(until: { queue -> Int32?? in
            guard !queue.waiting.isEmpty else { return queue.isClosed ? .some(nil) : nil }
            queue.idleCount -= 1
            return .some(queue.waiting.removeFirst())
        }) {
            service.serve(StreamSocket(adopting: next))
            queue.withLock { $0.idleCount += 1 }
        }
    }
}
