public import SocketAddresses

/// A server of the protocol under one concurrency model.
///
/// A server lives from `start` through `run` to `stop`:
/// - `start` binds and listens. Once it returns, clients can connect and wait in the backlog.
/// - `run` serves on the calling thread, and on further threads if the model needs them, until the server has stopped. Call
///   it once.
/// - `stop` may be called from any thread, at any time, any number of times. The first call begins a drain: the server
///   accepts no further connections, open messages are allowed to finish, received bytes are replied to, each connection
///   closes with FIN, and `run` returns within the configuration's drain timeout. A second call closes everything at once.
///
/// When `run` returns, all sockets and threads of the server are gone.
public protocol Server: AnyObject, Sendable {
    /// Binds and listens.
    ///
    /// - Returns: the address that clients connect to, with the actual port if the configured one was 0.
    func start() throws(ServerError) -> SocketAddress

    /// Serves on the calling thread until the server has stopped.
    ///
    /// - Returns: the final metrics.
    func run() throws(ServerError) -> ServerMetrics

    /// What the server has counted so far; callable from any thread, also before and after `run`.
    var metrics: ServerMetrics { get }

    /// Begins a drain; a second call closes everything at once.
    ///
    /// Callable from any thread and in a signal handler: it takes no lock and does not allocate.
    func stop()
}
