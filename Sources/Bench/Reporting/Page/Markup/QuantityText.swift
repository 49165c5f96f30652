import Measurements

/// Formats quantities as short text with their units.
enum QuantityText {
    /// Formats a time in a suitable unit, for example `86 µs`, `3.8 ms` or `2 s`.
    static func time(_ nanoseconds: Double) -> String {
        let size = nanoseconds.magnitude
        if size >= 999_500_000 { return short(nanoseconds / 1e9) + " s" }
        if size >= 999_500 { return short(nanoseconds / 1e6) + " ms" }
        if size >= 999.5 { return short(nanoseconds / 1e3) + " µs" }
        return short(nanoseconds) + " ns"
    }

    /// Formats the difference between two times, with its sign.
    static func difference(_ nanoseconds: Double) -> String { (nanoseconds > 0 ? "+" : "") + time(nanoseconds) }

    /// Formats a number with three significant digits and without trailing zeros.
    static func short(_ number: Double) -> String {
        let size = number.magnitude
        return DecimalText.trimmed(number, places: size >= 100 ? 0 : size >= 10 ? 1 : 2)
    }

    /// Formats a count with thin spaces between groups of three digits, for example `12 000`.
    static func count(_ number: Double) -> String {
        let text = DecimalText.fixed(number, places: 0)
        guard text.count > 4 else { return text }
        let digits = Array(text)
        return digits.indices.reduce(into: "") { grouped, index in
            if index > 0, (digits.count - index).isMultiple(of: 3) { grouped += "\u{2009}" }
            grouped.append(digits[index])
        }
    }

    /// Formats a share in per cent, with one digit after the point.
    static func percent(_ share: Double) -> String { DecimalText.fixed(share * 100, places: 1) + "%" }

    /// Formats a number of bytes in a suitable unit.
    static func bytes(_ count: Double) -> String {
        if count >= 1_048_576 { return short(count / 1_048_576) + " MiB" }
        return count >= 1024 ? short(count / 1024) + " KiB" : short(count) + " B"
    }

    static func ratio(_ ratio: Double) -> String { DecimalText.fixed(ratio, places: 2) }

    static func interval(_ interval: Interval?, _ text: (Double) -> String) -> String {
        guard let interval else { return "n/a" }
        return "\(text(interval.lower)) to \(text(interval.upper))"
    }
}
