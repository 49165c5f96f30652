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

/// A model's speed under one load, by round; what it is beside the reference is told in pairs of the same round.
public struct JudgedSpeed: Sendable {
    /// Answers per second.
    public var rates: [Double] = []

    /// The same in parts of what the reference answers.
    public var rateRatios: [Double] = []

    /// The server's processor time for an answer, in seconds.
    public var costs: [Double] = []

    /// The same in parts of what the reference takes.
    public var costRatios: [Double] = []

    /// Makes a speed without rounds.
    public init() {}

    /// The median of the answers per second.
    public var rate: Double? { RatioSpread(of: rates)?.median }

    /// The median of the processor time for an answer, in seconds.
    public var cost: Double? { RatioSpread(of: costs)?.median }

    /// Appends a round.
    mutating func append(_ slice: Slice, beside reference: Slice) {
        rates.append(slice.rate)
        if reference.rate > 0 { rateRatios.append(slice.rate / reference.rate) }
        guard let cost = slice.cost else { return }
        costs.append(cost)
        if let other = reference.cost, other > 0 { costRatios.append(cost / other) }
    }

    /// One model's part of a round.
    struct Slice {
        /// Answers per second.
        let rate: Double
        /// Processor time for an answer, in seconds; `nil` where there was none.
        let cost: Double?
    }
}
