public import Logging

/// A concurrency model: its name, its capacity, and a function that makes its server.
public struct ServerModel: Sendable {
    /// The name on the command line, for example `libuv`.
    public let name: String

    /// A description of the model in one line.
    public let summary: String

    /// What the model's threads wait for.
    public let family: Family

    /// The number of clients that are served at the same time.
    public internal(set) var capacity = Capacity.unbounded

    /// The source files that explain the model, except for the session's file, which all models share.
    ///
    /// Each file is a path below `Sources`, without `.swift`.
    public let sources: [String]

    /// The types that are declared in the files of `sources`, but that only other models use.
    public internal(set) var unusedTypes: [String] = []

    /// Returns whether this system supports the model; it makes system calls to find out.
    public internal(set) var isAvailable: @Sendable () -> Bool = { true }

    let make: @Sendable (ServerConfiguration, Logger) -> any Server

    /// What the threads of a model wait for.
    public enum Family: Hashable, Sendable {
        /// A thread waits for one client at a time, in a blocking call: `sequential`, `threads` and `thread-pool`.
        case blocking
        /// One thread waits for all clients, in a system call: `select`, `poll`, `epoll` and `io-uring`.
        case readiness
        /// One libuv loop waits for all clients: `libuv`, `libuv-eager` and `async`.
        case loop
        /// Several libuv loops wait, each for its own clients (`ServerConfiguration.loops`): `libuv-loops`.
        case loops
    }

    /// The number of clients that a model serves at the same time, and the treatment of further clients.
    public enum Capacity: Hashable, Sendable {
        /// One client; all other clients wait in the backlog.
        case one
        /// One client per thread of the pool. Further clients wait in a queue, and are rejected when the queue is full.
        case poolThreads
        /// Clients with descriptors below a limit; all other clients are rejected.
        case descriptors(below: Int)
        /// Any number of clients, limited only by the descriptors and threads of the process.
        case unbounded
    }

    /// Makes a server that has not opened any descriptor yet.
    public func makeServer(configuration: ServerConfiguration, logger: Logger) -> any Server {
        make(configuration, logger)
    }
}
