internal import SystemCalls

// One client at a time: accept, serve with blocking calls until the client is done, and only then accept the next.
// Nothing could be simpler, and nothing is cheaper for one client: a receive and a send for each message, no
// waiting for several things at once. The model breaks with the second client: it waits in the backlog for as
// long as the first is connected, however little that one has to say. A silent client stops the service.

extension ServerModel {
    /// One client at a time.
    public static let sequential = ServerModel(
        name: "sequential", summary: "one client at a time, the others wait in the backlog", capacity: .one,
        sources: .blocking("SequentialServer")
    ) { BlockingServer<SequentialDispatch>(configuration: $0, logger: $1) }
}

/// Serves each client on the thread that accepts.
struct SequentialDispatch: ClientDispatch {
    private let service: BlockingService

    init(_ service: BlockingService) { self.service = service }

    func take(_ client: consuming StreamSocket) { service.serve(client) }

    func finish() {}
}
