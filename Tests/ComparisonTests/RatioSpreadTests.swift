import Testing

@testable import Comparison

@Suite struct RatioSpreadTests {
    @Test(arguments: [
        // 1 − 2·P(at most k of n) ≥ 95%: the ranks that tables of the sign test give.
        (1, 0), (5, 0), (6, 0), (8, 0), (9, 1), (11, 1), (12, 2), (14, 2), (15, 3), (17, 4), (20, 5), (100, 39),
    ])
    func theRangeLeavesOutWhatTheSignTestDoes(_ count: Int, _ outside: Int) {
        #expect(RatioSpread.outside(of: count) == outside)
    }

    @Test func theMedianIsTheMiddle() throws {
        #expect(try #require(RatioSpread(of: [3, 1, 2])).median == 2)
        #expect(try #require(RatioSpread(of: [4, 1, 2, 3])).median == 2.5)
    }

    @Test func theRangeIsOfTheSortedRatios() throws {
        let spread = try #require(RatioSpread(of: [12, 1, 11, 2, 10, 3, 9, 4, 8, 5, 7, 6]))
        #expect(spread.median == 6.5)
        #expect(spread.low == 3)
        #expect(spread.high == 10)
    }

    @Test func oneRatioIsItsOwnRangeAndNoneHasNone() throws {
        let one = try #require(RatioSpread(of: [1.5]))
        #expect(one.low == 1.5 && one.median == 1.5 && one.high == 1.5)
        #expect(RatioSpread(of: []) == nil)
    }
}
