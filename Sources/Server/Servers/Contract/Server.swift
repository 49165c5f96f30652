public import SocketAddresses

/// A server of the protocol under one concurrency model.
///
/// The life of a server is `start`, then `run`, ended by `stop`:
/// - `start` binds and listens; from its return on, clients can connect and wait in the backlog.
/// - `run` serves on the calling thread (and on whatever threads the model needs) until the server has
///   stopped, and returns what it did. It is called once.
/// - `stop` may be called from any thread, at any time, any number of times. The first call drains: no
///   connection is accepted any more, messages that are open are let end, what has come is answered, each connection
///   is closed with FIN, and `run` returns within the configuration's drain timeout. A second call closes everything
///   at once.
///
/// When `run` returns, every socket and every thread of the server is gone; what `stop` needs goes with the object.
public protocol Server: AnyObject, Sendable {
    /// Binds and listens.
    ///
    /// - Returns: the address that clients connect to, with the port that was picked for port 0.
    func start() throws(ServerError) -> SocketAddress

    /// Serves on the calling thread until the server has stopped.
    func run() throws(ServerError) -> ServerSummary

    /// What the server has counted so far; callable from any thread, before `run` and after it too.
    var metrics: ServerMetrics { get }

    /// Drains and stops; the second call stops at once.
    ///
    /// Callable from any thread, and in a signal handler: it takes no lock and allocates nothing.
    func stop()
}
