import Foundation
import Logging
import Reporting
import SystemCalls
import Testing

@testable import uvserver

private struct NotAnObject: Error {}

@Suite struct LogLineTests {
    /// What could break a line, a string, or a terminal.
    static let hostile = [
        "", " ", "\"", "\\", "\\\"", "a\nb", "\r\n", "\t", "\u{0}", "\u{1}\u{1f}", "\u{7f}", "\u{9b}31m", "\u{1b}[2J",
        "{\"level\":\"critical\"}", "}\n{\"time\":\"\"", "\u{2028}\u{2029}", "é", "e\u{301}", "👩‍👩‍👧", "\u{202e}abc",
        "a=b c",
        String(decoding: [0x61, 0xFF, 0xC0, 0xAF, 0xED, 0xA0, 0x80, 0x62], as: UTF8.self),
        String(repeating: "x", count: 10_000),
    ]

    /// Logs to a handler of the format, and returns the lines.
    private func lines(
        _ format: LogFormat, metadata: Logger.Metadata = [:], _ log: (Logger) -> Void
    ) -> [String] {
        let pipe = Lines()
        var handler = LineLogHandler(label: "test", format: format) { pipe.append($0) }
        handler.metadata = metadata
        handler.logLevel = .trace
        log(Logger(label: "test") { _ in handler })
        return pipe.all
    }

    private func object(_ line: String) throws -> [String: JSONText] {
        #expect(line.hasSuffix("\n") && line.utf8.count { $0 == 0x0A } == 1)
        guard case .object(let members) = try JSONText(parsing: line) else { throw NotAnObject() }
        let byName = Dictionary(members) { first, _ in first }
        #expect(byName.count == members.count, "a name occurs twice in \(line)")
        return byName
    }

    @Test(arguments: Logger.Level.allCases) func everyLevelIsNamed(_ level: Logger.Level) throws {
        let json = lines(.json) { $0.log(level: level, "hello", metadata: ["id": "7"]) }
        let members = try object(try #require(json.first))
        #expect(json.count == 1)
        #expect(
            members.mapValues(\.plainText).filter { $0.key != "time" } == [
                "level": level.rawValue, "label": "test", "message": "hello", "id": "7",
            ])
        let text = lines(.text) { $0.log(level: level, "hello", metadata: ["id": "7"]) }
        #expect(text.first?.hasSuffix(" \(level.rawValue) test: hello id=7\n") == true)
    }

    @Test func theTimeIsUTCWithMilliseconds() throws {
        let before = WallClock.utcTimestamp(hasMilliseconds: true)
        let line = try #require(lines(.json) { $0.info("x") }.first)
        let time = try #require(try object(line)["time"]?.plainText)
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        #expect(before <= time && time <= WallClock.utcTimestamp(hasMilliseconds: true))
    }

    @Test(arguments: hostile) func whatIsLoggedComesBackUnchanged(_ text: String) throws {
        let line = try #require(
            lines(.json) { $0.info("\(text)", metadata: [text: "\(text)", "nested": ["a": [.string(text)]]]) }.first)
        let members = try object(line)
        #expect(members["message"]?.plainText == text)
        #expect(members[text]?.plainText == text)
        guard case .object(let nested) = members["nested"], case .array(let values) = nested.first?.1 else {
            Issue.record("\(line)")
            return
        }
        #expect(values.map(\.plainText) == [text])
        // Foundation's reader agrees.
        let other = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(other?["message"] as? String == text)
    }

    @Test(arguments: hostile) func aTextLineStaysALineAndCannotSteerATerminal(_ text: String) throws {
        let line = try #require(lines(.text) { $0.info("\(text)", metadata: [text: [text: "\(text)"]]) }.first)
        #expect(line.hasSuffix("\n"))
        let scalars = line.dropLast().unicodeScalars
        #expect(
            !scalars.contains {
                $0.properties.generalCategory == .control || "\u{2028}\u{2029}".unicodeScalars.contains($0)
            })
    }

    @Test func aValueOfSeveralWordsIsQuoted() {
        let metadata: Logger.Metadata = [
            "a": "one two", "b": "", "c": "say \"x\"", "d": ["1", "2"], "e": ["k": "v w"],
        ]
        let line = lines(.text) { $0.info("m", metadata: metadata) }.first
        #expect(
            line?.hasSuffix(#": m a="one two" b="" c="say \"x\"" d=[1,2] e="{k:\"v w\"}""# + "\n") == true,
            "\(line ?? "")")
    }

    @Test func ourKeysStayOurs() throws {
        let metadata: Logger.Metadata = [
            "time": "t", "level": "l", "label": "b", "message": "m", "metadata.level": "other",
            "metadata.metadata.level": "third",
        ]
        let members = try object(try #require(lines(.json) { $0.warning("true", metadata: metadata) }.first))
        #expect(members["level"]?.plainText == "warning")
        #expect(members["message"]?.plainText == "true")
        #expect(members["metadata.time"]?.plainText == "t")
        #expect(members["metadata.level"]?.plainText == "other")
        #expect(members["metadata.metadata.level"]?.plainText == "third")
        #expect(members["metadata.metadata.metadata.level"]?.plainText == "l")
        #expect(members.count == 10)
    }

    @Test func whatIsCloserToTheEventWins() throws {
        let logged = lines(.json, metadata: ["id": "1", "kept": "yes"]) { $0.info("x", metadata: ["id": "2"]) }
        let members = try object(try #require(logged.first))
        #expect(members["id"]?.plainText == "2")
        #expect(members["kept"]?.plainText == "yes")
    }

    @Test func anErrorIsTold() throws {
        struct Broken: Error, CustomStringConvertible { var description: String { "it broke" } }
        let members = try object(try #require(lines(.json) { $0.error("x", error: Broken()) }.first))
        #expect(members["error"]?.plainText == "it broke")
        #expect(members["error.type"]?.plainText?.hasSuffix("Broken") == true)
    }
}

/// Lines that were written, in their order, by the one thread of a test.
private final class Lines: @unchecked Sendable {
    private(set) var all: [String] = []
    func append(_ line: String) { all.append(line) }
}

extension JSONText {
    fileprivate var plainText: String? {
        if case .text(let text) = self { text } else { nil }
    }
}
