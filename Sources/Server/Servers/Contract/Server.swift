public import SocketAddresses

/// A server that serves the protocol with one concurrency model.
///
/// A program calls these functions in this order:
/// - `start` binds and listens. After `start` has returned, clients can connect. They wait in the kernel's queue until
///   `run` accepts them.
/// - `run` serves until the server has stopped. It uses the calling thread, and other threads if the model needs them.
///   Call it once.
/// - `stop` may be called from any thread, at any time, any number of times. The first call begins a drain: the server
///   stops listening, allows open messages to finish, replies to all received bytes, and closes each connection with
///   FIN. After `ServerConfiguration.drainTimeout`, the server closes the remaining connections. `run` returns when all
///   connections have closed, at most about one second after the drain timeout. A second call of `stop` closes all
///   connections at once.
///
/// When `run` returns, the server has closed all its sockets and its threads have ended.
public protocol Server: AnyObject, Sendable {
    /// Binds and listens.
    ///
    /// - Returns: the address that clients connect to, with the actual port if the configured port was 0.
    func start() throws(ServerError) -> SocketAddress

    /// Serves on the calling thread until the server has stopped.
    ///
    /// - Returns: the final metrics.
    func run() throws(ServerError) -> ServerMetrics

    /// The counts so far; any thread may read them, even before and after `run`.
    var metrics: ServerMetrics { get }

    /// Begins a drain; a second call closes all connections at once.
    ///
    /// Any thread and any signal handler may call this function: it takes no lock and does not allocate.
    func stop()
}
