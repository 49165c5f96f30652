import RealModule

/// A scale that maps numbers to positions along an axis.
struct Scale: Sendable {
    /// A number on the axis, with its label.
    struct Tick: Sendable {
        var value: Double
        var label: String
    }

    private let isLogarithmic: Bool
    let lower: Double
    let upper: Double
    private let from: Double
    private let to: Double

    /// Makes a scale.
    ///
    /// If the upper limit is not above the lower limit, the upper limit is raised. On a logarithmic scale, limits that
    /// are not positive are also raised, to small positive numbers.
    init(_ lower: Double, _ upper: Double, from: Double, to: Double, isLogarithmic: Bool = false) {
        self.isLogarithmic = isLogarithmic
        self.from = from
        self.to = to
        if isLogarithmic {
            self.lower = max(lower, 1e-9)
            self.upper = max(upper, self.lower * 1.001)
        } else {
            self.lower = lower
            self.upper = upper > lower ? upper : lower + 1
        }
    }

    /// Returns the position of a number.
    ///
    /// A number outside the limits is moved to the nearest limit.
    func place(_ number: Double) -> Double {
        let number = min(max(number.isFinite ? number : upper, lower), upper)
        let share =
            isLogarithmic
            ? Double.log(number / lower) / Double.log(upper / lower) : (number - lower) / (upper - lower)
        return from + share * (to - from)
    }

    /// Returns the ticks of the axis.
    ///
    /// On a logarithmic scale, the ticks are the powers of ten and, unless the range is wide, some of their multiples.
    /// On linear scales, and on narrow logarithmic scales, the ticks are evenly spaced.
    func ticks(_ label: (Double) -> String) -> [Tick] {
        guard isLogarithmic, upper / lower > 5 else { return evenTicks(label) }
        let factors: [Double] = upper / lower > 2000 ? [1] : upper / lower > 60 ? [1, 3] : [1, 2, 5]
        let first = Int(Double.log10(lower).rounded(.down))
        let last = Int(Double.log10(upper).rounded(.up))
        var ticks: [Tick] = []
        for power in first...max(first, last) {
            for value in factors.map({ $0 * Double.pow(10, power) })
            where value >= lower * 0.999 && value <= upper * 1.001 {
                ticks.append(Tick(value: value, label: label(value)))
            }
        }
        return ticks
    }

    private func evenTicks(_ label: (Double) -> String) -> [Tick] {
        let rough = (upper - lower) / 5
        let power = Double.pow(10, Int(Double.log10(rough).rounded(.down)))
        let step = ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10) * power
        let first = (lower / step).rounded(.up)
        let last = (upper / step + 1e-9).rounded(.down)
        guard last >= first, last - first < 50 else { return [] }
        return stride(from: first, through: last, by: 1).map { Tick(value: $0 * step, label: label($0 * step)) }
    }
}
