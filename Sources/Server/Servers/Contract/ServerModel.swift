public import Logging

/// A concurrency model: its name, its capacity, and how to make a server of it.
public struct ServerModel: Sendable {
    /// The name on the command line, for example `libuv`.
    public let name: String

    /// One line: how the model serves many clients.
    public let summary: String

    /// What the model's threads wait for.
    public let family: Family

    /// How many clients are served at the same time.
    public internal(set) var capacity = Capacity.unbounded

    /// The files to read in order to understand the model, beside the session: paths below `Sources`, without `.swift`.
    public let sources: [String]

    let make: @Sendable (ServerConfiguration, Logger) -> any Server

    /// What the threads of a model wait for.
    public enum Family: Hashable, Sendable {
        /// A thread waits for one client at a time, in a blocking call.
        case blocking
        /// One thread waits for all clients, in a system call.
        case readiness
        /// One libuv loop.
        case loop
        /// Several libuv loops (`ServerConfiguration.loops`).
        case loops
    }

    /// The number of clients that a model serves at the same time, and what happens to further ones.
    public enum Capacity: Hashable, Sendable {
        /// One; the others wait in the backlog.
        case one
        /// One per thread of the pool; the queue holds further ones, and the rest are rejected.
        case poolThreads
        /// Clients with descriptors below a limit; the others are rejected.
        case descriptors(below: Int)
        /// As many clients as the process may open descriptors or start threads.
        case unbounded
    }

    /// Makes a server that holds no resource yet.
    public func makeServer(configuration: ServerConfiguration, logger: Logger) -> any Server {
        make(configuration, logger)
    }
}
