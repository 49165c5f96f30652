/// The measurements of one model.
public struct ModelFigures: Sendable {
    /// The model's name.
    public let model: String

    /// The number of connected clients that were served at the same time.
    public var servedAtOnce = 0

    /// The model's speed under each load.
    public var speeds: [BenchmarkLoad: ModelSpeed] = [:]

    /// The number of clients, out of ten, that receive replies if no other clients are connected.
    public var servedAlone = 0

    /// The number of clients, out of ten, that receive replies while another client is stalled.
    public var servedWithStall = 0

    /// The rate of replies to ten clients while another client is stalled, divided by the rate without the stalled
    /// client.
    public var rateWithStall = 0.0

    /// The memory that each additional client adds to the server, in bytes; `nil` if the server serves too few clients
    /// for this measurement.
    public var bytesPerClient: Double?

    /// The number of server threads without clients, and with a thousand connected clients.
    ///
    /// The server may serve only some of the connected clients. `servedWithThreads` is the number of clients served.
    public var threads = (idle: 0, serving: 0)

    /// The number of clients that were served when the threads were counted.
    public var servedWithThreads = 0

    /// The number of system calls per message with a single client; `nil` if they cannot be counted on this machine.
    public var systemCallsPerMessage: Double?

    /// The amount of code to read in order to understand the model; `nil` if the sources cannot be found.
    public var sources: SourceMeasure?

    /// Makes a value in which every number is zero or unknown.
    public init(model: String) { self.model = model }

    /// The number of additional threads per served client.
    var threadsPerClient: Double { Double(threads.serving - threads.idle) / Double(max(1, servedWithThreads)) }

    /// The processor time per reply with 1000 clients, divided by the processor time per reply with 100 clients.
    var costGrowth: Double? {
        guard let few = speeds[.clients(100)]?.cost, few > 0 else { return nil }
        return speeds[.clients(1000)]?.cost.map { $0 / few }
    }
}

/// The behaviour of the clients while speeds are measured.
public enum BenchmarkLoad: Hashable, Sendable, CustomStringConvertible {
    /// This many clients are connected, and at most ten of them send requests.
    case clients(Int)
    /// One client opens a new connection for each request.
    case connections

    /// The number of clients that are connected at the same time.
    var clientCount: Int {
        switch self {
        case .clients(let count): count
        case .connections: 1
        }
    }

    /// A short description of the load.
    public var description: String {
        switch self {
        case .clients(1): "1 client"
        case .clients(let count): "\(count) clients"
        case .connections: "a connection for each request"
        }
    }
}

/// A model's speed under one load.
public struct ModelSpeed: Sendable {
    /// The measurement of the model in each round.
    public var slices: [Slice] = []

    /// The rate of replies in each round, divided by the reference's rate in the same round.
    public var ratios: [Double] = []

    /// Makes a value without measurements.
    public init() {}

    /// The highest rate of replies in any round, in replies per second.
    ///
    /// The highest rate counts, because other programs on the machine can only make a round slower.
    public var rate: Double? { slices.map(\.rate).max() }

    /// The processor time per reply over all rounds, in seconds; `nil` if there were no replies.
    ///
    /// The time is not computed for single rounds, because some kernels count processor time in ticks of several
    /// milliseconds.
    public var cost: Double? {
        let replyCount = slices.reduce(0) { $0 + $1.replyCount }
        return replyCount > 0 ? slices.reduce(0) { $0 + $1.processorSeconds } / Double(replyCount) : nil
    }

    /// Appends the measurement of a round.
    mutating func append(_ slice: Slice, relativeTo reference: Slice) {
        slices.append(slice)
        if reference.rate > 0 { ratios.append(slice.rate / reference.rate) }
    }

    /// The measurement of one model in one round.
    public struct Slice: Sendable {
        /// The rate of replies, in replies per second.
        public let rate: Double
        /// The processor time that the server used, in seconds.
        public let processorSeconds: Double
        /// The number of replies for which the server used `processorSeconds`.
        ///
        /// The number includes replies that do not count towards the rate, for example replies during the warm-up.
        public let replyCount: Int
    }
}
