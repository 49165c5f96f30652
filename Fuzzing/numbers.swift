// Fuzzes the parsers for durations, for message sizes and for the requirements on a load. The number in a duration is
// compared with the result of strtod.
import Glibc
import LoadGenerator
import Measurements

/// Returns the number of seconds that a text means, or `nil` if the text is not a duration.
///
/// This is a second implementation of the parser.
private func seconds(_ text: String) -> Double? {
    let bytes = Array(text.utf8)
    let units: [(name: String, factor: Double)] = [("us", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("", 1)]
    guard let unit = units.first(where: { bytes.suffix($0.name.utf8.count).elementsEqual($0.name.utf8) }) else {
        return nil
    }
    let number = bytes.dropLast(unit.name.utf8.count)
    let digitCount = number.count { (0x30...0x39).contains($0) }
    guard digitCount > 0, number.count - digitCount <= 1,
        number.allSatisfy({ $0 == 0x2E || (0x30...0x39).contains($0) })
    else { return nil }
    return strtod(String(decoding: number, as: UTF8.self), nil) * unit.factor
}

private func checkDuration(_ text: String) {
    let parsed = DurationText.parse(text)
    guard let expected = seconds(text), expected <= DurationText.maxSeconds * (1 - 1e-12) else {
        // Rounding decides whether a duration of almost exactly one day is accepted.
        precondition(parsed == nil || parsed.map { $0 / .seconds(1) > DurationText.maxSeconds * (1 - 1e-9) } == true)
        return
    }
    guard let parsed else { preconditionFailure("a duration of \(expected) seconds was rejected") }
    precondition(abs(parsed / .seconds(1) - expected) <= 1e-12 * max(1, expected), "the duration differs")
}

private func checkSizes(_ text: String) {
    guard let sizes = PayloadSizes(parsing: text) else { return }
    precondition((1...PayloadSizes.maxShareCount).contains(sizes.shares.count))
    precondition(sizes.shares.allSatisfy { PayloadSizes.byteCounts.contains($0.byteCount) })
    precondition(sizes.shares.allSatisfy { PayloadSizes.weights.contains($0.weight) })
    guard let again = PayloadSizes(parsing: "\(sizes)") else { preconditionFailure("the printed sizes were rejected") }
    // The weight of a single size has no effect and is not printed.
    precondition(again.shares.map(\.byteCount) == sizes.shares.map(\.byteCount))
    precondition(sizes.shares.count == 1 || again == sizes)
}

private func checkRequirement(_ text: String) {
    guard let requirement = Requirement(parsing: text) else { return }
    precondition(requirement.text == text && requirement.limit >= 0 && requirement.limit.isFinite)
    precondition(requirement.isLeast ? text.contains(">") : text.contains("<"))
    if case .percentile(_, let percentile) = requirement.subject {
        precondition((0..<100).contains(percentile.percent) && Percentile(percent: percentile.percent) == percentile)
    }
}

/// Parses one input as each kind of text.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: min(count, 512)), as: UTF8.self)
    checkDuration(text)
    checkSizes(text)
    checkRequirement(text)
    return 0
}
