import Foundation
import Logging
import Testing

@testable import uvserver

/// Tests of the limit on the length of a log line.
@Suite struct LogLineLimitTests {
    private static let texts = [
        String(repeating: "x", count: 10_000), String(repeating: "\u{0}", count: 5000),
        String(repeating: "👩‍👩‍👧\"\\", count: 500), String(repeating: "é", count: 4096),
    ]

    private func event(_ text: String, _ metadata: Logger.Metadata) -> LoggedEvent {
        LoggedEvent(
            time: "2026-11-30T00:00:00.000Z", level: .notice, label: "uvserver", message: text, metadata: metadata)
    }

    @Test(arguments: LogFormat.allCases, texts.indices) func aLongLineIsCut(_ format: LogFormat, _ index: Int) throws {
        let text = Self.texts[index]
        let metadatas: [Logger.Metadata] = [
            [:], ["reason": "\(text)", "id": "7"], [text: "x", "nested": ["a": [.string(text), "b"]]],
            Dictionary(uniqueKeysWithValues: (0..<50).map { ("key \($0)", "\(text)") }),
        ]
        for metadata in metadatas {
            let line = format.line(event(text, metadata))
            #expect(line.utf8.count <= 4096)
            #expect(line.hasSuffix("\n") && line.utf8.count { $0 == 0x0A } == 1)
            #expect(line.contains(" bytes cut"))
            #expect(!line.contains("\u{FFFD}"))
            if format == .json {
                #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
            }
        }
    }

    @Test(arguments: LogFormat.allCases) func aLineWithTooManyValuesSaysSo(_ format: LogFormat) {
        let metadata = Dictionary(uniqueKeysWithValues: (0..<5000).map { ("key\($0)", Logger.MetadataValue("v")) })
        #expect(format.line(event("hello", metadata)).contains("5000 values"))
    }

    @Test(arguments: LogFormat.allCases) func aLineUpToTheLimitIsWhole(_ format: LogFormat) {
        let line = format.line(event(String(repeating: "x", count: 3900), ["id": "7"]))
        #expect(line.contains(String(repeating: "x", count: 3900)))
    }
}
