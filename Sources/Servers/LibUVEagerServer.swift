public import Logging
public import SocketAddresses

// The libuv server with a second write path: an answer is first offered to the kernel with `uv_try_write`, and
// only what the kernel does not take at once goes through `uv_write`. That saves, on libuv 1.44, one `epoll_ctl`
// for each message. It breaks where `libuv` does; and a client whose socket is always full gains nothing.

/// The libuv server that tries to write at once, and queues the rest.
public final class LibUVEagerServer: Server {
    /// The model's name and description.
    public static let model = ServerModel(
        name: "libuv-eager", summary: "the same, uv_try_write first and uv_write for the rest")

    private let core: LoopServer

    /// Makes a server that holds no resource yet.
    public init(configuration: ServerConfiguration, logger: Logger) {
        core = LoopServer(configuration: configuration, path: .eager, logger: logger)
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
