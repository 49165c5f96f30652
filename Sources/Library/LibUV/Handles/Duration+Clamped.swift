// Arithmetic on durations that clamps instead of trapping. Programs pass extreme durations, for example for a wait that
// only a cancellation ends. All code that computes with a duration from the program uses these functions.

extension Duration {
    /// Returns the sum of two durations, clamped to the range of `Duration`.
    func clampedSum(_ other: Duration) -> Duration {
        let (sum, overflows) = attoseconds.addingReportingOverflow(other.attoseconds)
        return Duration(attoseconds: !overflows ? sum : other.attoseconds < 0 ? .min : .max)
    }

    /// Returns the difference of two durations, clamped to the range of `Duration`.
    func clampedDifference(_ other: Duration) -> Duration {
        let (difference, overflows) = attoseconds.subtractingReportingOverflow(other.attoseconds)
        return Duration(attoseconds: !overflows ? difference : other.attoseconds < 0 ? .max : .min)
    }

    /// The duration in milliseconds, rounded up and clamped to the range of `UInt64`.
    var wholeMilliseconds: UInt64 {
        guard attoseconds > 0 else { return 0 }
        let (whole, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000)
        return UInt64(clamping: rest == 0 ? whole : whole + 1)
    }

    /// The interval of a repeating timer in milliseconds.
    ///
    /// It is at least 1, because libuv does not repeat a timer whose interval is 0.
    var repeatMilliseconds: UInt64 { Swift.max(1, wholeMilliseconds) }

    /// The duration in seconds, rounded down and clamped to a range.
    func wholeSeconds(in range: ClosedRange<UInt32>) -> UInt32 {
        let seconds = UInt32(clamping: attoseconds / 1_000_000_000_000_000_000)
        return Swift.min(Swift.max(seconds, range.lowerBound), range.upperBound)
    }
}
