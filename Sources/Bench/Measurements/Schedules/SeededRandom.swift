/// Pseudorandom bits that a seed decides: xoshiro256** 1.0, its state filled by splitmix64.
///
/// The same seed gives the same numbers on every machine and in every version of Swift, so that a printed seed repeats
/// a run. Not for secrets. A value of 32 bytes: nothing is allocated, and a copy goes its own way.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var s0: UInt64
    private var s1: UInt64
    private var s2: UInt64
    private var s3: UInt64

    /// Makes a generator from a seed; every seed is good, 0 too.
    public init(seed: UInt64) {
        var seeder = SplitMix64(state: seed)
        self.init(state: (seeder.next(), seeder.next(), seeder.next(), seeder.next()))
    }

    init(state: (UInt64, UInt64, UInt64, UInt64)) { (s0, s1, s2, s3) = state }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        let result = SeededRandom.rotated(s1 &* 5, by: 7) &* 9
        let shifted = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = SeededRandom.rotated(s3, by: 45)
        return result
    }

    /// A number in `0..<bound`, each as likely as the others; 0 where the bound is 0.
    ///
    /// The high half of bits times bound, where draws that would favour a number are thrown away (Lemire's method).
    public mutating func next(below bound: UInt64) -> UInt64 {
        guard bound > 0 else { return 0 }
        var product = next().multipliedFullWidth(by: bound)
        let unfair = (0 &- bound) % bound
        while product.low < unfair { product = next().multipliedFullWidth(by: bound) }
        return product.high
    }

    /// A number from 0 up to, and without, 1: a multiple of 2⁻⁵³.
    public mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

    private static func rotated(_ bits: UInt64, by count: UInt64) -> UInt64 { bits << count | bits >> (64 - count) }
}

/// The generator that turns one seed into well mixed state, and into seeds for what else needs one.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
