public import Logging

/// A concurrency model: what it is called, what it can do, and how to make a server of it.
public struct ServerModel: Sendable {
    /// The name on the command line, as in `--model libuv`.
    public let name: String

    /// One line: how the model serves many clients.
    public let summary: String

    /// How many clients are served at the same time.
    public let capacity: Capacity

    /// Where the model is implemented.
    public let sources: Sources

    private let make: @Sendable (ServerConfiguration, Logger) -> any Server

    /// How many clients a model serves at the same time; what becomes of the others is part of it.
    public enum Capacity: Hashable, Sendable {
        /// One; the others wait in the backlog until it leaves.
        case one
        /// As many as the pool has threads; as many as its queue holds wait, and the others are refused.
        case poolThreads
        /// As many as have descriptors below a number; the others are refused.
        case descriptors(below: Int)
        /// As many as the process may have descriptors, or threads.
        case unbounded
    }

    /// The files that implement a model, below the package's `Sources`, without `.swift`.
    public struct Sources: Hashable, Sendable {
        /// What the model has for itself.
        public let own: [String]
        /// What it shares with other models; the protocol, the wrapper of the system, and what an operator asks for apart.
        public let shared: [String]
    }

    init(
        name: String, summary: String, capacity: Capacity = .unbounded, sources: Sources,
        make: @escaping @Sendable (ServerConfiguration, Logger) -> any Server
    ) {
        self.name = name
        self.summary = summary
        self.capacity = capacity
        self.sources = sources
        self.make = make
    }

    /// Makes a server that holds no resource yet.
    public func makeServer(configuration: ServerConfiguration, logger: Logger) -> any Server {
        make(configuration, logger)
    }
}

// What an operator asks for is left out in every family alike: limits, metrics, proxies, the service manager, descriptors
// that run out. It is the same for each model, and no model needs it to serve.
extension ServerModel.Sources {
    /// A model in which a thread waits for one client at a time.
    static func blocking(_ own: String) -> Self {
        Self(
            own: ["Server/Servers/Models/\(own)"],
            shared: ["BlockingServer", "BlockingService", "BlockingConversation", "BlockedDescriptors"].map {
                "Server/Servers/Blocking/\($0)"
            })
    }

    /// A model in which one thread waits for all clients, by a system call of its own.
    static func readiness(_ own: String, poller: String) -> Self {
        Self(
            own: ["Server/Servers/Models/\(own)", "Server/SystemCalls/Pollers/\(poller)"],
            shared: [
                "ReadinessServer", "ReadinessLoop", "ReadinessLoop+Connections", "ReadinessLoop+Drain",
                "ReadinessConnection",
            ].map { "Server/Servers/Readiness/\($0)" })
    }

    /// A model on loops of libuv, with the handler of a stream's events or without.
    static func loops(_ own: String, handlesEvents: Bool = true) -> Self {
        Self(
            own: ["Server/Servers/Models/\(own)"],
            shared: ["LoopServer", "LoopService", "LoopService+Drain", "ConnectionServing", "ConnectionBudget"].map {
                "Server/Servers/Loops/\($0)"
            } + (handlesEvents ? ["Server/Servers/Loops/ProtocolHandler"] : []))
    }
}
