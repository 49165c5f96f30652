/// What the programme has found out about one model.
public struct ModelFigures: Sendable {
    /// The model's name.
    public let model: String

    /// How many of the crowd were served at the same time.
    public var servedAtOnce = 0

    /// How fast it answers, under each load.
    public var speeds: [JudgedLoad: JudgedSpeed] = [:]

    /// How many of ten clients are answered when there is nobody else.
    public var servedWithoutStall = 0

    /// How many of ten clients are answered after another has stalled.
    public var servedBesideStall = 0

    /// The answers per second of those ten, beside a stalled client, in parts of what they get without.
    public var rateBesideStall = 0.0

    /// The memory that one client more takes in the server, in bytes; `nil` where there are no two numbers of served
    /// clients to compare.
    public var bytesPerClient: Double?

    /// The server's threads without clients, and with a thousand, as many as it serves.
    public var threads = (idle: 0, serving: 0)

    /// How many clients were served when the threads were counted.
    public var servedWithThreads = 0

    /// System calls for each message of a single client; `nil` where they cannot be counted here.
    public var systemCallsPerMessage: Double?

    /// The model's own files; `nil` where the sources are not at hand.
    public var ownSources: SourceMeasure?

    /// What it shares with other models.
    public var sharedSources: SourceMeasure?

    /// The room that it shares, as `Blocking`.
    public var sharedRoom = ""

    /// Makes figures that are all nothing.
    public init(model: String) { self.model = model }
}

/// What the clients do while a model's speed is measured.
public enum JudgedLoad: Hashable, Sendable {
    /// So many clients are connected, of whom ten at most are busy.
    case clients(Int)
    /// A connection for each request.
    case connections
}

/// A model's speed under one load, round by round.
public struct JudgedSpeed: Sendable {
    /// What was measured in each round.
    public var slices: [Slice] = []

    /// Answers per second in parts of what the reference answered in the same round.
    public var ratios: [Double] = []

    /// Makes a speed without rounds.
    public init() {}

    /// The most answers per second of any round: whatever else runs on the machine only takes away.
    public var rate: Double? { slices.map(\.rate).max() }

    /// The least processor time for an answer of any round, in seconds: what else runs only adds to it.
    public var cost: Double? { slices.compactMap(\.cost).min() }

    /// Appends a round.
    mutating func append(_ slice: Slice, beside reference: Slice) {
        slices.append(slice)
        if reference.rate > 0 { ratios.append(slice.rate / reference.rate) }
    }

    /// One model's part of a round.
    public struct Slice: Sendable {
        /// Answers per second.
        public let rate: Double
        /// The server's processor time for an answer, in seconds; `nil` where there was none.
        public let cost: Double?
    }
}
