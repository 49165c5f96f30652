import Testing

@testable import Reporting

@Suite struct JSONFormatTests {
    private struct Everything: Codable, Equatable {
        var text = "\"quoted\" \\ \n é 👩‍🚀 / </script> \u{2028} \u{7f}"
        var whole = 42
        var big = UInt64.max
        var small: Int8 = -128
        var number = 0.1
        var tiny = 1e-7
        var endless = [Double.infinity, -.infinity]
        var yes = true
        var missing: Int?
        var gaps: [Int?] = [1, nil, 3]
        var nested = [["a": 1], ["b": 2]]
    }

    @Test(arguments: [false, true]) func everyValueRoundTrips(_ isIndented: Bool) throws {
        let text = try JSONFormat.text(of: Everything(), isIndented: isIndented)
        #expect(try JSONFormat.value(Everything.self, from: text) == Everything())
        #expect(try JSONFormat.value(Everything.self, from: JSONFormat.embeddable(text)) == Everything())
    }

    @Test func keysAreSortedAndSlashesAreNotEscaped() throws {
        #expect(try JSONFormat.text(of: ["b": "/", "a": "x"]) == #"{"a":"x","b":"/"}"#)
    }

    @Test func anEmbeddedTextCannotEndItsElement() throws {
        let hostile = ["</script>", "<!--", "<script>", "]]>", "\u{2028}\u{2029}"]
        let text = JSONFormat.embeddable(try JSONFormat.text(of: hostile))
        #expect(!text.contains("<"))
        #expect(!text.unicodeScalars.contains { $0 == "\u{2028}" || $0 == "\u{2029}" })
        #expect(try JSONFormat.value([String].self, from: text) == hostile)
    }

    private struct Outer: Codable {
        struct Inner: Codable { var count: Int }
        var inner: [Inner]
    }

    @Test(arguments: [
        ("", "not valid JSON"), ("{", "not valid JSON"), ("nothing", "not valid JSON"), ("{} x", "not valid JSON"),
        ("[]", "Expected to decode Dictionary<String, Any> but found an array instead."),
        ("{}", "'inner' is missing"), (#"{"inner":[{"count":1},{}]}"#, "'inner[1].count' is missing"),
        (#"{"inner":[{"count":"1"}]}"#, "'inner[0].count': Expected to decode Int but found a string instead."),
        (#"{"inner":[{"count":null}]}"#, "'inner[0].count': "),
    ])
    func anErrorNamesThePlace(_ text: String, _ reason: String) {
        #expect { try JSONFormat.value(Outer.self, from: text) } throws: { "\($0)".hasPrefix(reason) }
    }

    @Test func deepNestingIsAnError() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: ReportError.self) { try JSONFormat.value([Int].self, from: deep) }
    }
}
