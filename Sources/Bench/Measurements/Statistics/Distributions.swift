import RealModule

/// The standard normal distribution.
enum NormalDistribution {
    static func cumulative(_ z: Double) -> Double { .erfc(-z / 2.0.squareRoot()) / 2 }

    static func quantile(_ probability: Double) -> Double {
        Bisection.argument(of: probability, in: -40...40, cumulative)
    }
}

/// Student's t distribution.
enum StudentDistribution {
    /// Returns the two-sided probability, which is the probability of a value at least as far from 0 as `t`.
    static func twoSided(_ t: Double, degrees: Double) -> Double {
        BetaDistribution.cumulative(degrees / (degrees + t * t), degrees / 2, 0.5)
    }

    /// Returns the two-sided critical value: the distance from 0 that is exceeded with the given probability.
    static func critical(twoSided probability: Double, degrees: Double) -> Double {
        Bisection.argument(of: 1 - probability, in: 0...1e6) { 1 - twoSided($0, degrees: degrees) }
    }
}

/// The F distribution: the distribution of the ratio of two sample variances.
enum VarianceRatioDistribution {
    /// Returns the probability of a ratio of at least `ratio`.
    static func above(_ ratio: Double, _ numeratorDegrees: Double, _ denominatorDegrees: Double) -> Double {
        guard ratio.isFinite else { return 0 }
        let share = denominatorDegrees / (denominatorDegrees + numeratorDegrees * ratio)
        return BetaDistribution.cumulative(share, denominatorDegrees / 2, numeratorDegrees / 2)
    }
}
