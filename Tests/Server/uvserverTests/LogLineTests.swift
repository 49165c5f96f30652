import Foundation
import Logging
import SystemCalls
import Testing

@testable import uvserver

@Suite struct LogLineTests {
    /// Texts with characters that could end a line or a string early, or control a terminal.
    static let hostile = [
        "", " ", "\"", "\\", "\\\"", "a\nb", "\r\n", "\t", "\u{0}", "\u{1}\u{1f}", "\u{7f}", "\u{9b}31m", "\u{1b}[2J",
        "{\"level\":\"critical\"}", "}\n{\"time\":\"\"", "\u{2028}\u{2029}", "é", "e\u{301}", "👩‍👩‍👧", "\u{202e}abc",
        "a=b c",
        String(decoding: [0x61, 0xFF, 0xC0, 0xAF, 0xED, 0xA0, 0x80, 0x62], as: UTF8.self),
        String(repeating: "x", count: 700),
    ]

    /// Runs `log` with a logger of the given format, and returns the lines that the logger wrote.
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

    private func object(_ line: String) throws -> [String: Any] {
        #expect(line.hasSuffix("\n") && line.utf8.count { $0 == 0x0A } == 1)
        return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }

    @Test(arguments: Logger.Level.allCases) func everyLevelIsWritten(_ level: Logger.Level) throws {
        let json = lines(.json) { $0.log(level: level, "hello", metadata: ["id": "7"]) }
        let members = try object(try #require(json.first))
        #expect(json.count == 1)
        #expect(
            (members as? [String: String])?.filter { $0.key != "time" } == [
                "level": level.rawValue, "label": "test", "message": "hello", "id": "7",
            ])
        let text = lines(.text) { $0.log(level: level, "hello", metadata: ["id": "7"]) }
        #expect(text.first?.hasSuffix(" \(level.rawValue) test: hello id=7\n") == true)
    }

    @Test func theTimeIsUTCWithMilliseconds() throws {
        let before = WallClock.utcTimestamp(hasMilliseconds: true)
        let line = try #require(lines(.json) { $0.info("x") }.first)
        let time = try #require(try object(line)["time"] as? String)
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        #expect(before <= time && time <= WallClock.utcTimestamp(hasMilliseconds: true))
    }

    @Test(arguments: hostile) func jsonPreservesEveryText(_ text: String) throws {
        let line = try #require(
            lines(.json) { $0.info("\(text)", metadata: [text: "\(text)", "nested": ["a": [.string(text)]]]) }.first)
        let members = try object(line)
        #expect(members["message"] as? String == text)
        #expect(members[text] as? String == text)
        #expect((members["nested"] as? [String: [String]])?["a"] == [text])
    }

    @Test(arguments: hostile) func controlCharactersInATextLineAreEscaped(_ text: String) throws {
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

    @Test func metadataDoNotReplaceTheFixedKeys() throws {
        let metadata: Logger.Metadata = [
            "time": "t", "level": "l", "label": "b", "message": "m", "metadata.level": "other",
            "metadata.metadata.level": "third",
        ]
        let members = try object(try #require(lines(.json) { $0.warning("true", metadata: metadata) }.first))
        #expect(members["level"] as? String == "warning")
        #expect(members["message"] as? String == "true")
        #expect(members["metadata.time"] as? String == "t")
        #expect(members["metadata.level"] as? String == "other")
        #expect(members["metadata.metadata.level"] as? String == "third")
        #expect(members["metadata.metadata.metadata.level"] as? String == "l")
        #expect(members.count == 10)
    }

    @Test func metadataOfTheEventTakePrecedence() throws {
        let logged = lines(.json, metadata: ["id": "1", "kept": "yes"]) { $0.info("x", metadata: ["id": "2"]) }
        let members = try object(try #require(logged.first))
        #expect(members["id"] as? String == "2")
        #expect(members["kept"] as? String == "yes")
    }

    @Test func anErrorIsLogged() throws {
        struct Broken: Error, CustomStringConvertible { var description: String { "it broke" } }
        let members = try object(try #require(lines(.json) { $0.error("x", error: Broken()) }.first))
        #expect(members["error"] as? String == "it broke")
        #expect((members["error.type"] as? String)?.hasSuffix("Broken") == true)
    }
}

/// The lines that one thread has written, in order.
private final class Lines: @unchecked Sendable {
    private(set) var all: [String] = []
    func append(_ line: String) { all.append(line) }
}
