import RealModule

/// The beta distribution, from which Student's t distribution and the F distribution are computed.
enum BetaDistribution {
    /// Returns the cumulative probability at `x`, which is the regularized incomplete beta function.
    static func cumulative(_ x: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        // The continued fraction converges quickly if `x` is below the mean. Above the mean, the symmetry of the
        // distribution gives the value.
        if x > (a + 1) / (a + b + 2) { return 1 - cumulative(1 - x, b, a) }
        let logFront =
            Double.logGamma(a + b) - Double.logGamma(a) - Double.logGamma(b) + a * .log(x) + b * .log(onePlus: -x)
        return .exp(logFront) / (a * continuedFraction(x, a, b))
    }

    /// Returns the continued fraction 1 + d₁/(1 + d₂/(1 + …)), evaluated with Lentz's method.
    private static func continuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        var value = 1.0
        var numerator = 1.0
        var denominator = 0.0
        for step in 1...1000 {
            let coefficient = coefficient(step, x, a, b)
            denominator = 1 / nonzero(1 + coefficient * denominator)
            numerator = nonzero(1 + coefficient / numerator)
            value *= numerator * denominator
            if (numerator * denominator - 1).magnitude < 1e-15 { break }
        }
        return value
    }

    private static func coefficient(_ step: Int, _ x: Double, _ a: Double, _ b: Double) -> Double {
        let m = Double(step / 2)
        return step.isMultiple(of: 2)
            ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    }

    private static func nonzero(_ number: Double) -> Double { number.magnitude < 1e-300 ? 1e-300 : number }
}
