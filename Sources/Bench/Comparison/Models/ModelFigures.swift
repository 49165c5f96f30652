/// What the benchmark measured of one model.
public struct ModelFigures: Sendable {
    /// The model's name.
    public let model: String

    /// How many clients of the crowd were served at the same time.
    public var servedAtOnce = 0

    /// The speeds under each load.
    public var speeds: [BenchmarkLoad: ModelSpeed] = [:]

    /// How many of ten clients receive replies when there are no others.
    public var servedAlone = 0

    /// How many of ten clients receive replies while another one is stalled.
    public var servedWithStall = 0

    /// The replies a second of those ten, relative to ten clients without a stalled one.
    public var rateWithStall = 0.0

    /// The memory of the server for each further client, in bytes; `nil` if it serves too few clients to tell.
    public var bytesPerClient: Double?

    /// The server's threads without clients, and with a thousand or as many as it serves.
    public var threads = (idle: 0, serving: 0)

    /// How many clients were served when the threads were counted.
    public var servedWithThreads = 0

    /// System calls for each message of a single client; `nil` if they cannot be counted here.
    public var systemCallsPerMessage: Double?

    /// The code to read in order to understand the model; `nil` if the sources cannot be found.
    public var sources: SourceMeasure?

    /// Makes figures of zero.
    public init(model: String) { self.model = model }

    /// Threads for each client that is served.
    var threadsPerClient: Double { Double(threads.serving - threads.idle) / Double(max(1, servedWithThreads)) }

    /// The processor time per reply with 1000 clients, as a multiple of the time with 100 clients.
    var costGrowth: Double? {
        guard let few = speeds[.clients(100)]?.cost, few > 0 else { return nil }
        return speeds[.clients(1000)]?.cost.map { $0 / few }
    }
}

/// What the clients do while speeds are measured.
public enum BenchmarkLoad: Hashable, Sendable, CustomStringConvertible {
    /// This many clients are connected, of which at most ten send requests.
    case clients(Int)
    /// One client connects for each request.
    case connections

    /// How many clients are connected at once.
    var clientCount: Int {
        switch self {
        case .clients(let count): count
        case .connections: 1
        }
    }

    /// The load in a few words.
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
    /// The measurement of each round.
    public var slices: [Slice] = []

    /// The replies a second of each round, relative to the reference in the same round.
    public var ratios: [Double] = []

    /// Makes a speed without rounds.
    public init() {}

    /// The most replies a second of any round: what else runs on the machine only makes it slower.
    public var rate: Double? { slices.map(\.rate).max() }

    /// The processor time for a reply over all rounds, in seconds; `nil` if there was none.
    ///
    /// Some kernels count processor time in ticks of milliseconds, which says little about one round.
    public var cost: Double? {
        let replyCount = slices.reduce(0) { $0 + $1.replyCount }
        return replyCount > 0 ? slices.reduce(0) { $0 + $1.processorSeconds } / Double(replyCount) : nil
    }

    /// Appends a round.
    mutating func append(_ slice: Slice, relativeTo reference: Slice) {
        slices.append(slice)
        if reference.rate > 0 { ratios.append(slice.rate / reference.rate) }
    }

    /// One model's part of a round.
    public struct Slice: Sendable {
        /// Replies a second.
        public let rate: Double
        /// The server's processor time, in seconds.
        public let processorSeconds: Double
        /// The replies that it was spent on, including those that do not count in the rate.
        public let replyCount: Int
    }
}
