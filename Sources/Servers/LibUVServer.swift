public import Logging
public import SocketAddresses

// One thread, one libuv loop, any number of clients. libuv waits for all sockets at once, and calls back when
// one can be read; the protocol handler computes the answer into a buffer of the loop's pool and gives it to
// `uv_write`, which tells later when the buffer is free again. Nothing blocks, so a slow client costs memory and
// no time. The model breaks where one answer takes long to compute, since every client waits for it, and at the
// speed of one processor; on libuv 1.44 each write costs a system call more than the message itself needs.

/// The libuv server: every answer goes through `uv_write`.
public final class LibUVServer: Server {
    /// The model's name and description.
    public static let model = ServerModel(
        name: "libuv", summary: "one thread, a libuv loop, every answer through uv_write")

    private let core: LoopServer

    /// Makes a server that holds no resource yet.
    public init(configuration: ServerConfiguration, logger: Logger) {
        core = LoopServer(configuration: configuration, path: .queued, logger: logger)
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
