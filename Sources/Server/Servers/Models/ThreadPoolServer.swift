internal import Logging
internal import SystemCalls

// One thread accepts clients and puts them into a queue. A fixed number of threads take clients from the queue, and
// serve one client after the other with the code of the sequential server (`SequentialServer.swift`). The
// number of threads and the memory are limited, however many clients connect. Clients that stay connected are the limit
// of the model: if every thread serves a silent client, all other clients wait in the queue. When the queue is full,
// the server rejects further clients. The model suits short conversations, and replies that take long to compute.
//
// - Accept: on the thread that runs the server, `BlockingAcceptor.next` calls `accept4`, which waits for a client.
// - Queue: `ThreadPoolDispatch.dispatch` appends the client to the queue, or rejects it if the queue is full.
// - Serve: a thread of the pool takes the client from the queue.
// - Read, compute, write: on this thread, `BlockingConversation.serve` calls `recv`, asks the session and calls `send`.
//   Each call may wait for the client.
// - Close: `BlockingWorkers.serve` sends FIN and closes the socket. Then the thread takes the next client.

extension ServerModel {
    /// A fixed number of threads and a bounded queue.
    public static let threadPool = ServerModel(
        name: "thread-pool", summary: "a fixed number of threads that serve clients from a bounded queue",
        family: .blocking, capacity: .poolThreads,
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
        /// The number of threads that do not serve a client.
        var idleCount = 0
        var isClosed = false

        /// The descriptor of the next client; `nil` if the queue is closed and empty.
        struct Next { var descriptor: Int32? }

        /// Takes the next client; returns `nil` if the thread has to wait.
        mutating func takeNext() -> Next? {
            guard !waiting.isEmpty else { return isClosed ? Next() : nil }
            idleCount -= 1
            return Next(descriptor: waiting.removeFirst())
        }
    }

    init(_ workers: BlockingWorkers) throws(SystemCallError) {
        self.workers = workers
        let count = max(1, workers.operations.configuration.poolThreads)
        queue.withLock { $0.idleCount = count }
        for _ in 0..<count {
            do throws(SystemCallError) { try threads.start { [queue] in Self.work(workers, queue) } } catch {
                // A smaller pool can still serve clients, but a pool without threads cannot serve any client.
                if threads.count == 0 { throw error }
                workers.operations.log.logger.warning("cannot start a pool thread", metadata: ["error": "\(error)"])
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

    /// Serves the clients of the queue one after the other, until the queue is closed and empty.
    ///
    /// Every thread of the pool runs this function.
    private static func work(_ workers: BlockingWorkers, _ queue: Monitor<Queue>) {
        while let client = queue.wait(until: { $0.takeNext() }).descriptor {
            workers.serve(StreamSocket(adopting: client))
            queue.withLock { $0.idleCount += 1 }
        }
    }
}
