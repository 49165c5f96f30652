internal import SystemCalls

// A thread per client: accept, start a thread that serves the client with blocking calls, accept the next. The thread runs
// the conversation of the sequential server (`SequentialServer.swift`), and the kernel's scheduler does what an event loop
// would do. The model breaks with the number of clients: each has a stack, a place in the scheduler's queues and a context
// switch per message. Ten thousand idle clients are ten thousand threads. Once the system starts no more threads, clients
// are rejected.

extension ServerModel {
    /// A thread per client.
    public static let threads = ServerModel(
        name: "threads", summary: "a thread per client, blocking calls", family: .blocking,
        sources: ["Server/Servers/Models/ThreadsServer", "Server/Servers/Models/SequentialServer"]
    ) { BlockingServer<ThreadsDispatch>($0, $1) }
}

/// Serves each client on a thread of its own.
struct ThreadsDispatch: ClientDispatch {
    private let workers: BlockingWorkers
    private let threads = ThreadGroup()

    init(_ workers: BlockingWorkers) { self.workers = workers }

    func dispatch(_ client: consuming StreamSocket) {
        let descriptor = client.release()
        do throws(SystemCallError) {
            try threads.start { [workers] in workers.serve(StreamSocket(adopting: descriptor)) }
        } catch {
            workers.reject(StreamSocket(adopting: descriptor), .threads, "the system starts no more threads (\(error))")
        }
    }

    func finish() { threads.joinAll() }
}
