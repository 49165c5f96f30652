/// The percentile bootstrap: how a median scatters over samples drawn from the sample itself.
public enum Bootstrap {
    /// How many samples are drawn where nothing else is said.
    public static let resampleCount = 2000

    /// The interval of a median.
    ///
    /// - Parameters:
    ///   - groups: the numbers. With one group they are drawn one by one; with several, groups are drawn first, and
    ///     numbers within each of them.
    ///   - confidence: the share of the drawn medians that lies in the interval.
    ///   - seed: decides what is drawn.
    /// - Returns: the interval, or `nil` where there is no number.
    public static func medianInterval(
        of groups: [[Double]], confidence: Double = 0.95, resampleCount: Int = resampleCount, seed: UInt64
    ) -> Interval? {
        let groups = groups.filter { !$0.isEmpty }
        guard !groups.isEmpty, resampleCount > 0 else { return nil }
        var random = SeededRandom(seed: seed)
        let medians = (0..<resampleCount).compactMap { _ in OrderedSample(resample(groups, &random)).median }
        let ordered = OrderedSample(medians)
        guard let lower = ordered.quantile((1 - confidence) / 2), let upper = ordered.quantile((1 + confidence) / 2)
        else { return nil }
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
