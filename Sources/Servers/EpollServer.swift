public import Logging
public import SocketAddresses
internal import SystemCalls

// One thread, and the kernel's own list of sockets. `epoll` remembers what each socket is waited for, so that a
// wait costs what is ready and not what is connected; each message is one wait, one receive and one send, fewer
// where many are ready at once. The model breaks where an answer takes long to compute, and at the speed of one
// processor; and all that a library would do is done by hand: queues, interests, and who closes what when.

/// The server that waits through `epoll`, without any library.
public final class EpollServer: Server {
    /// The model's name and description.
    public static let model = ServerModel(name: "epoll", summary: "one thread, the epoll system calls, no library")

    private let core: ReadinessServer<EpollPoller>

    /// Makes a server that holds no resource yet.
    public init(configuration: ServerConfiguration, logger: Logger) {
        core = ReadinessServer(configuration: configuration, logger: logger)
    }

    /// Binds and listens.
    public func start() throws(ServerError) -> SocketAddress { try core.start() }

    /// Serves on the calling thread until the server has stopped.
    public func run() throws(ServerError) -> ServerSummary { try core.run() }

    /// Drains and stops; the second call stops at once.
    ///
    /// Callable from any thread.
    public func stop() { core.stop() }
}
