internal import SystemCalls

// The server accepts a client and starts a thread for it. Then the server accepts the next client. The thread serves
// its client with blocking calls, and runs the code of the sequential server (`SequentialServer.swift`). The kernel's
// scheduler does the work of an event loop. The limit of the model is the number of clients: each client needs a stack,
// and each message needs a context switch. Ten thousand idle clients need ten thousand threads. When the system cannot
// start another thread, the server rejects the client.
//
// - Accept: on the thread that runs the server, `BlockingAcceptor.next` calls `accept4`, which waits for a client.
// - Serve: `ThreadsDispatch` starts a thread for the client.
// - Read, compute, write: on this thread, `BlockingConversation.serve` calls `recv`, asks the session and calls `send`.
//   Each call may wait for the client, and delays no other client.
// - Close: `BlockingWorkers.serve` sends FIN and closes the socket. Then the thread ends.

extension ServerModel {
    /// A thread per client.
    public static let threads = ServerModel(
        name: "threads", summary: "a thread per client, blocking calls", family: .blocking,
        sources: ["Server/Servers/Models/ThreadsServer", "Server/Servers/Models/SequentialServer"]
    ) { BlockingServer<ThreadsDispatch>($0, $1) }
}

/// Serves each client on a separate thread.
struct ThreadsDispatch: ClientDispatch {
    private let workers: BlockingWorkers
    private let threads = ThreadGroup()

    init(_ workers: BlockingWorkers) { self.workers = workers }

    func dispatch(_ client: consuming StreamSocket) {
        let descriptor = client.release()
        do throws(SystemCallError) {
            try threads.start { [workers] in workers.serve(StreamSocket(adopting: descriptor)) }
        } catch {
            workers.reject(
                StreamSocket(adopting: descriptor), .threads, "the system cannot start another thread (\(error))")
        }
    }

    func finish() { threads.joinAll() }
}
