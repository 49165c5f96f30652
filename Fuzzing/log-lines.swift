// Fuzzes the log's lines, which contain texts from clients and from the environment. Foundation's parser checks that a
// line in JSON is one object with the same texts. No line may contain a control character.
import Foundation
import Logging

/// Returns whether a line ends with its only newline, and has no other control character.
private func isOneLine(_ line: String) -> Bool {
    line.hasSuffix("\n")
        && line.unicodeScalars.dropLast().allSatisfy { $0.properties.generalCategory != .control }
}

/// Logs one input, in which newlines separate a message, a key and a value.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: min(count, 256))
    let parts = input.split(separator: 10, maxSplits: 3, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
    let (message, key, value) = (parts[0], parts.count > 1 ? parts[1] : "", parts.count > 2 ? parts[2] : "")
    var nested: Logger.Metadata = [value: .array([.string(message), .string(key)])]
    nested[key] = .stringConvertible(count)
    let event = LoggedEvent(
        time: "2026-01-01T00:00:00.000Z", level: .notice, label: value, message: message,
        metadata: [key: .string(value), key + "2": .dictionary(nested)])
    precondition(isOneLine(event.textLine), "the text is more than one line")
    let line = event.jsonLine
    precondition(isOneLine(line), "the JSON is more than one line")
    guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
        preconditionFailure("the line is not a JSON object: \(line)")
    }
    precondition(object["message"] as? String == message && object["label"] as? String == value)
    precondition(object["level"] as? String == "notice" && object["time"] as? String == event.time)
    let isFixed = { (name: String) in ["time", "level", "label", "message"].contains(name) }
    precondition(object[isFixed(key) ? "metadata.\(key)" : key] as? String == value, "a value differs")
    guard let inner = object[isFixed(key + "2") ? "metadata.\(key)2" : key + "2"] as? [String: Any] else {
        preconditionFailure("the dictionary is missing: \(line)")
    }
    precondition(value == key || inner[value] as? [String] == [message, key], "a nested value differs")
    precondition(inner[key] as? String == "\(count)", "a nested number differs")
    return 0
}
