/// A disturbance of the machine during a block.
public enum Disturbance: String, Hashable, Codable, Sendable, CaseIterable {
    /// A sleeping thread woke late.
    case hiccup
    /// The hypervisor gave processor time to other virtual machines.
    case steal
    /// Tasks waited for a processor.
    case pressure
    /// The server's threads waited for a processor.
    case runDelay
    /// Other processes took processor time.
    case foreign
}

/// The rule that decides whether a sample of the platform is disturbed.
///
/// The thresholds of the rule are fixed before the run.
public struct DisturbanceRule: Hashable, Codable, Sendable {
    /// A sample is disturbed if a sleep of 1 ms overshoots by more than this many microseconds.
    public var hiccupMicroseconds = 2000.0
    /// A sample is disturbed if more than this share of processor time is stolen.
    public var stealShare = 0.05
    /// A sample is disturbed if tasks wait for a processor for more than this share of the time.
    public var pressureShare = 0.25
    /// A sample is disturbed if the server's threads wait for a processor for more than this share of the time.
    public var runDelayShare = 0.10
    /// A sample is disturbed if other processes use more than this share of processor time.
    public var foreignShare = 0.10
    /// A block is disturbed if more than this share of its samples show the same kind of disturbance.
    public var sampleShare = 0.10

    /// Makes the default rule.
    public init() {}

    /// Returns the kinds of disturbance that occurred in a block.
    ///
    /// - Parameter samples: the platform samples taken during the block.
    /// - Returns: each kind that occurred in more than `sampleShare` of the samples.
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

/// A sample of the platform, taken every 100 ms.
///
/// `stealShare` and `foreignShare` refer to the last half second. The other shares refer to the time since the previous
/// sample.
public struct PlatformSample: Hashable, Codable, Sendable {
    /// The overshoot of a sleep of 1 ms, in microseconds.
    public var hiccupMicroseconds: Double
    /// The share of processor time that the hypervisor gave to other virtual machines (`/proc/stat`).
    public var stealShare: Double
    /// The share of time for which some task waited for a processor (`/proc/pressure/cpu`).
    public var pressureShare: Double
    /// The share of time for which the server's threads waited for a processor (`schedstat`).
    public var runDelayShare: Double
    /// The share of processor time used by processes other than the server and the generator.
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
