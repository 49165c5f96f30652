/// Finds the argument at which an increasing function has a given value.
///
/// Uses bisection down to the precision of `Double`.
enum Bisection {
    static func argument(of target: Double, in range: ClosedRange<Double>, _ increasing: (Double) -> Double) -> Double {
        var low = range.lowerBound
        var high = range.upperBound
        for _ in 0..<200 {
            let middle = low + (high - low) / 2
            if middle <= low || middle >= high { break }
            if increasing(middle) < target { low = middle } else { high = middle }
        }
        return low + (high - low) / 2
    }
}
