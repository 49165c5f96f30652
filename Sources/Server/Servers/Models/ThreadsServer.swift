internal import SystemCalls

// A thread for each client: accept, start a thread that serves the client with blocking calls, accept the next.
// The code is that of the sequential server, and the kernel's scheduler does what an event loop would do. The
// model breaks with the number of clients: each has a stack, a place in the scheduler's queues and, while it is
// served, a switch of threads for each message. Ten thousand idle clients are ten thousand threads; where the
// system gives no more of them, clients are refused.

extension ServerModel {
    /// A thread for each client.
    public static let threads = ServerModel(
        name: "threads", summary: "a thread for each client, blocking calls", sources: .blocking("ThreadsServer")
    ) { BlockingServer<ThreadsDispatch>(configuration: $0, logger: $1) }
}

/// Serves each client on a thread of its own.
struct ThreadsDispatch: ClientDispatch {
    private let service: BlockingService
    private let threads = ThreadGroup()

    init(_ service: BlockingService) { self.service = service }

    func take(_ client: consuming StreamSocket) {
        let descriptor = client.release()
        do throws(SystemCallError) {
            try threads.start { [service] in service.serve(StreamSocket(adopting: descriptor)) }
        } catch {
            service.refuse(StreamSocket(adopting: descriptor), .threads, "no thread can be had (\(error))")
        }
    }

    func finish() { threads.joinAll() }
}
