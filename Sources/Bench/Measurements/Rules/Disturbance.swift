/// What disturbed the machine during a block.
public enum Disturbance: String, Hashable, Codable, Sendable, CaseIterable {
    /// A sleeper woke late.
    case hiccup
    /// The hypervisor ran something else.
    case steal
    /// Tasks waited for a processor.
    case pressure
    /// The server's threads waited for a processor.
    case runDelay
    /// Other processes took processor time.
    case foreign
}

/// From when on a look at the platform counts as a disturbance; fixed before anything is measured.
public struct DisturbanceRule: Hashable, Codable, Sendable {
    /// By how much a sleep of 1 ms may overshoot, in microseconds.
    public var hiccupMicroseconds = 2000.0
    /// The share of processor time that may be stolen.
    public var stealShare = 0.05
    /// The share of time in which tasks may wait for a processor.
    public var pressureShare = 0.25
    /// The share of time that the server's threads may wait for a processor.
    public var runDelayShare = 0.10
    /// The share of processor time that other processes may take.
    public var foreignShare = 0.10
    /// A block is disturbed where more than this share of its samples is.
    public var sampleShare = 0.10

    /// The rule of every comparison where nothing else is said.
    public init() {}

    /// What disturbed a block.
    ///
    /// - Parameter samples: the platform's samples that were taken during the block.
    /// - Returns: each disturbance met in more than `sampleShare` of them.
    public func disturbances(in samples: [PlatformSample]) -> [Disturbance] {
        Disturbance.allCases.filter { disturbance in
            let met = samples.count { isExceeded(disturbance, in: $0) }
            return Double(met) > sampleShare * Double(samples.count)
        }
    }

    private func isExceeded(_ disturbance: Disturbance, in sample: PlatformSample) -> Bool {
        switch disturbance {
        case .hiccup: sample.hiccupMicroseconds > hiccupMicroseconds
        case .steal: sample.stealShare > stealShare
        case .pressure: sample.pressureShare > pressureShare
        case .runDelay: sample.runDelayShare > runDelayShare
        case .foreign: sample.foreignShare > foreignShare
        }
    }
}

/// One look at the platform, of which there is one each 100 ms; shares are of the time since the look before.
public struct PlatformSample: Hashable, Codable, Sendable {
    /// By how much a sleep of 1 ms overshot, in microseconds.
    public var hiccupMicroseconds: Double
    /// The share of processor time that the hypervisor gave to others (`/proc/stat`).
    public var stealShare: Double
    /// The share of time in which some task waited for a processor (`/proc/pressure/cpu`).
    public var pressureShare: Double
    /// How long the server's threads waited for a processor, as a share (`schedstat`).
    public var runDelayShare: Double
    /// The share of processor time that went neither to the server nor to the generator nor to idling.
    public var foreignShare: Double

    /// Makes a sample.
    public init(
        hiccupMicroseconds: Double = 0, stealShare: Double = 0, pressureShare: Double = 0, runDelayShare: Double = 0,
        foreignShare: Double = 0
    ) {
        self.hiccupMicroseconds = hiccupMicroseconds
        self.stealShare = stealShare
        self.pressureShare = pressureShare
        self.runDelayShare = runDelayShare
        self.foreignShare = foreignShare
    }
}
