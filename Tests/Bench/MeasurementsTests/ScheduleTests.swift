import Measurements
import Testing

@testable import struct Measurements.SplitMix64

@Suite struct ScheduleTests {
    // The expected numbers come from the reference program of splitmix64 with the seed 1234567.
    @Test func splitMixGivesThePublishedNumbers() {
        var seeder = SplitMix64(state: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in seeder.next() } == expected)
    }

    // The reference program of xoshiro256** produces these numbers if splitmix64 initializes it with the seeds 0 and
    // 42.
    private static let published: [UInt64: [UInt64]] = [
        0: [0x99ec_5f36_cb75_f2b4, 0xbf6e_1f78_4956_452a, 0x1a5f_849d_4933_e6e0, 0x6aa5_94f1_262d_2d2c],
        42: [0x1578_0b2e_0c2e_c716, 0x6104_d986_6d11_3a7e, 0xae17_5332_39e4_99a1, 0xecb8_ad47_03b3_60a1],
    ]

    @Test(arguments: published)
    func aSeedDeterminesTheNumbers(seed: UInt64, expected: [UInt64]) {
        var random = SeededRandom(seed: seed)
        #expect(expected.map { _ in random.next() } == expected)
    }

    // The expected numbers come from a port of the same algorithms to Python.
    @Test func numbersBelowABoundAreThoseOfTheMultiplication() {
        var random = SeededRandom(seed: 7)
        #expect((0..<12).map { _ in random.next(below: 10) } == [7, 2, 8, 9, 9, 8, 0, 1, 4, 1, 5, 7])
        #expect(random.next(below: 1) == 0)
        #expect(random.next(below: 0) == 0)
    }

    @Test func unitsAreMultiplesOfTheSmallestStep() {
        var random = SeededRandom(seed: 7)
        #expect(
            (0..<3).map { _ in random.nextUnit() } == [0.7005764821796896, 0.2787512294737843, 0.8396274618764198])
    }

    // At 3 requests per second, a request is due every third of a second. After 3 000 000 requests, the next request is
    // due at exactly a million seconds.
    @Test func uniformArrivalsDoNotDrift() throws {
        var schedule = try #require(ArrivalSchedule(.uniform, rate: 3, seed: 0))
        #expect((0..<4).map { _ in schedule.next() } == [0, 333_333_333, 666_666_667, 1_000_000_000])
        for _ in 4..<3_000_000 { _ = schedule.next() }
        #expect(schedule.next() == 1_000_000_000_000_000)
    }

    // The expected times were computed in Python. Each interval is -log(1 - u) milliseconds for the generator's next u.
    // The time of the 10 000th request has a mean of ten seconds and a standard deviation of 100 ms, so 9.85 s is
    // plausible.
    @Test func poissonArrivalsFollowTheSeed() throws {
        var schedule = try #require(ArrivalSchedule(.poisson, rate: 1000, seed: 11))
        #expect(
            (0..<6).map { _ in schedule.next() } == [252_668, 343_944, 625_327, 1_211_909, 1_301_016, 1_667_268])
        for _ in 6..<9999 { _ = schedule.next() }
        #expect(schedule.next() == 9_847_492_505)
    }

    @Test(arguments: [0, -1, .nan, .infinity, 1.1e9])
    func anInvalidRateIsRejected(rate: Double) {
        #expect(ArrivalSchedule(.uniform, rate: rate, seed: 0) == nil)
    }

    @Test func pairsFollowTheSeed() throws {
        var three = try #require(PairedSchedule(variantCount: 3, seed: 5))
        #expect((0..<15).map { _ in three.next() } == [2, 1, 0, 0, 2, 1, 0, 2, 1, 0, 2, 1, 2, 0, 1])
        var sixteen = try #require(PairedSchedule(variantCount: 16, seed: 5))
        #expect((0..<16).map { _ in sixteen.next() } == [0, 3, 11, 15, 1, 13, 12, 2, 7, 5, 8, 6, 10, 14, 9, 4])
    }

    // In 6000 groups of three, each of the six orders is expected 1000 times, with a standard deviation of 29.
    @Test func everyOrderOfAGroupIsAsLikelyAsTheOthers() throws {
        var schedule = try #require(PairedSchedule(variantCount: 3, seed: 1))
        var counts: [[Int]: Int] = [:]
        for _ in 0..<6000 { counts[[schedule.next(), schedule.next(), schedule.next()], default: 0] += 1 }
        #expect(
            counts == [
                [2, 1, 0]: 1035, [1, 2, 0]: 1022, [0, 2, 1]: 993, [2, 0, 1]: 991, [1, 0, 2]: 981, [0, 1, 2]: 978,
            ])
    }

    @Test(arguments: [0, 17]) func anInvalidNumberOfVariantsIsRejected(count: Int) {
        #expect(PairedSchedule(variantCount: count, seed: 0) == nil)
    }
}
