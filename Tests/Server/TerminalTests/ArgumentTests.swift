import ArgumentParser
import Testing

@testable import Terminal

@Suite struct ArgumentTests {
    @Test(arguments: [
        ("50us", Duration.microseconds(50)), ("500ms", .milliseconds(500)), ("5s", .seconds(5)), ("5", .seconds(5)),
        ("1.5m", .seconds(90)), ("0", .zero), ("86400", .seconds(86_400)), ("1440m", .seconds(86_400)),
    ])
    func durationsAreParsed(_ text: String, _ duration: Duration) {
        #expect(DurationArgument(argument: text)?.duration == duration)
    }

    @Test(arguments: ["", "s", "-1s", "1h", "1 s", "soon", "86401", "1441m", "86400m", ".", "1e3", "1.2.3", "٣s"])
    func invalidDurationsAreRejected(_ text: String) { #expect(DurationArgument(argument: text) == nil) }

    @Test(arguments: ["50us", "500ms", "5s", "0ms"]) func aDefaultIsWrittenAsItIsGiven(_ text: String) throws {
        #expect(try #require(DurationArgument(argument: text)).defaultValueDescription == text)
    }

    @Test func onlyADurationAboveZeroIsPositive() {
        #expect(DurationArgument(.zero).positive == nil)
        #expect(DurationArgument(.seconds(1)).positive == .seconds(1))
    }

    @Test func aNumberOutOfRangeNamesTheRange() throws {
        #expect(throws: Never.self) { try ValidRange.check(7, 1...7, "--loops") }
        #expect {
            try ValidRange.check(8, 1...7, "--loops")
        } throws: {
            "\($0)" == "--loops must be between 1 and 7 (got 8)"
        }
        #expect {
            try ValidRange.check(0, 1...Int.max, "--count")
        } throws: {
            "\($0)" == "--count must be at least 1 (got 0)"
        }
    }

    @Test(arguments: [0.0, 1e-16, 1e308, -1, .nan, .infinity]) func aFractionOutOfRangeNamesTheRange(_ value: Double) {
        #expect {
            try ValidRange.check(value, 0.001...1e9, "--rate")
        } throws: {
            "\($0)" == "--rate must be between 0.001 and 1000000000 (got \(value))"
        }
    }

    @Test func aHostIsAnAddressOrLocalhost() throws {
        #expect(try "\(HostArgument.address("localhost", port: 80, option: "--host"))" == "127.0.0.1:80")
        #expect(try "\(HostArgument.address("::1", port: 80, option: "--host"))" == "[::1]:80")
        for (host, port) in [("1.2.3", 80), ("nowhere", 80), ("127.0.0.1", 65536), ("127.0.0.1", -1)] {
            #expect(throws: ValidationError.self) { try HostArgument.address(host, port: port, option: "--host") }
        }
    }

    private static let models = ["sequential", "poll", "epoll", "libuv", "libuv-eager"]

    @Test(arguments: [
        ("libvu", "libuv"), ("libuv-eagr", "libuv-eager"), ("epol", "epoll"), ("epolll", "epoll"),
        ("sequental", "sequential"),
    ])
    func theNearestNameIsSuggested(_ typed: String, _ meant: String) {
        #expect(
            UnknownName.message("model", typed, among: Self.models)
                == "unknown model '\(typed)'; did you mean '\(meant)'?")
    }

    @Test(arguments: [("", "", 0), ("abc", "", 3), ("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)])
    func theEditDistanceCountsLetters(_ left: String, _ right: String, _ distance: Int) {
        #expect(UnknownName.editDistance(left, right) == distance)
        #expect(UnknownName.editDistance(right, left) == distance)
    }

    @Test func withoutNamesThereIsNoSuggestion() {
        #expect(UnknownName.message("load", "x", among: []) == "unknown load 'x'")
    }
}
