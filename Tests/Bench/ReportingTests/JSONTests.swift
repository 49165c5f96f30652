import Foundation
import Reporting
import Testing

@Suite struct JSONTests {
    private struct Everything: Codable, Equatable {
        var text = "\"quoted\" \\ \n é 👩‍🚀"
        var whole = 42
        var big: UInt64 = 9_007_199_254_740_992
        var small: Int8 = -128
        var number = 0.1
        var tiny = 1e-7
        var yes = true
        var no = false
        var missing: Int?
        var present: Int? = 0
        var list = [1.5, 2, 3]
        var gaps: [Int?] = [1, nil, 3]
        var nested = [["a": 1], ["b": 2]]
        var nothing: [String] = []
    }

    @Test func everythingComesBack() throws {
        let json = try JSONText(encoding: Everything())
        for text in [json.text, json.compactText] {
            #expect(try JSONText(parsing: text).decoded(as: Everything.self) == Everything())
        }
    }

    // Foundation reads what is written, and writes what is read.
    @Test func foundationAgrees() throws {
        let text = try JSONText(encoding: Everything()).compactText
        #expect(try JSONDecoder().decode(Everything.self, from: Data(text.utf8)) == Everything())
        let theirs = String(decoding: try JSONEncoder().encode(Everything()), as: UTF8.self)
        #expect(try JSONText(parsing: theirs).decoded(as: Everything.self) == Everything())
    }

    @Test func theCompactTextHasNoSpace() throws {
        struct Pair: Codable {
            var a = [1, 2]
            var b: Double = .infinity
        }
        #expect(try JSONText(encoding: Pair()).compactText == #"{"a":[1,2],"b":null}"#)
    }

    @Test func escapesAreRead() throws {
        let text = try JSONText(parsing: #""\u0041\u00e9\ud83d\ude00\t\/\b\f\r""#).decoded(as: String.self)
        #expect(text == "Aé😀\t/\u{8}\u{C}\r")
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "\"", "\"\\", "\"\\x\"",
        "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "01", "-", "1.", "1e", ".5", "+1", "1e999",
        "tru", "nul", "1 2", "\"\u{1}\"", "NaN", "\"\\u+123\"",
    ])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(throws: JSONError.self) { try JSONText(parsing: text) }
    }

    @Test func theOffsetTellsThePlace() {
        #expect { try JSONText(parsing: "[1, x]") } throws: { "\($0)" == "a value is missing at byte 4" }
    }

    @Test func depthIsLimited() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.self) { try JSONText(parsing: deep) }
        #expect(throws: Never.self) {
            try JSONText(parsing: String(repeating: "[", count: 100) + String(repeating: "]", count: 100))
        }
    }

    // Every beginning of a text is an error and no trap.
    @Test func whatIsCutOffIsRefused() throws {
        let text = try JSONText(encoding: Everything()).compactText
        for count in 0..<text.utf8.count {
            #expect(throws: (any Error).self) {
                try JSONText(parsing: String(decoding: text.utf8.prefix(count), as: UTF8.self))
            }
        }
    }

    @Test(arguments: ["{\"a\":1.5}", "{\"a\":300}", "{\"a\":\"1\"}", "{\"a\":null}", "{\"a\":true}", "{}", "[]", "1"])
    func aWrongKindIsRefused(text: String) {
        struct Small: Decodable { var a: Int8 }
        #expect(throws: DecodingError.self) { try JSONText(parsing: text).decoded(as: Small.self) }
    }

    @Test func aNumberThatWouldBeRoundedIsNotWritten() {
        #expect(throws: EncodingError.self) { try JSONText(encoding: [UInt64.max]) }
    }
}
