/// The percentile bootstrap of the median.
///
/// The bootstrap estimates the median's distribution from resamples of the sample.
public enum Bootstrap {
    /// The number of resamples.
    private static let resampleCount = 2000

    /// Returns the interval from the 2.5th to the 97.5th percentile of the resampled medians.
    ///
    /// - Parameters:
    ///   - groups: the numbers, in groups. With several groups, each resample first draws groups with replacement, and
    ///     then draws numbers within each drawn group.
    ///   - seed: the seed of the random draws.
    /// - Returns: the interval, or `nil` if there are no numbers.
    public static func medianInterval(of groups: [[Double]], seed: UInt64) -> Interval? {
        let groups = groups.filter { !$0.isEmpty }
        guard !groups.isEmpty else { return nil }
        var random = SeededRandom(seed: seed)
        let medians = (0..<resampleCount).compactMap { _ in OrderedSample(resample(groups, &random)).median }
        let ordered = OrderedSample(medians)
        guard let lower = ordered.quantile(0.025), let upper = ordered.quantile(0.975) else { return nil }
        return Interval(lower, upper)
    }

    private static func resample(_ groups: [[Double]], _ random: inout SeededRandom) -> [Double] {
        groups.indices.flatMap { index in
            let drawn = groups.count == 1 ? groups[index] : groups[place(groups.count, &random)]
            return drawn.map { _ in drawn[place(drawn.count, &random)] }
        }
    }

    private static func place(_ count: Int, _ random: inout SeededRandom) -> Int {
        Int(random.next(below: UInt64(count)))
    }
}
