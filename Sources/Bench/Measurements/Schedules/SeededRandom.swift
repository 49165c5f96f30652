/// A seeded pseudorandom number generator: xoshiro256** 1.0, whose state is initialized by splitmix64.
///
/// The same seed gives the same numbers on every machine and with every version of Swift, so a run can be repeated with
/// the seed that it printed. The generator must not be used for secrets. Its state takes 32 bytes and is not allocated
/// separately.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var s0: UInt64
    private var s1: UInt64
    private var s2: UInt64
    private var s3: UInt64

    /// Makes a generator from a seed.
    ///
    /// Every seed is valid, including 0.
    public init(seed: UInt64) {
        var seeder = SplitMix64(state: seed)
        self.init(state: (seeder.next(), seeder.next(), seeder.next(), seeder.next()))
    }

    init(state: (UInt64, UInt64, UInt64, UInt64)) { (s0, s1, s2, s3) = state }

    /// Returns the next 64 bits.
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

    /// Returns a uniformly distributed number in `0..<bound`; 0 if the bound is 0.
    ///
    /// This is Lemire's method: the result is the high half of the product of 64 random bits and the bound. Draws that
    /// would cause a bias are rejected.
    public mutating func next(below bound: UInt64) -> UInt64 {
        guard bound > 0 else { return 0 }
        var product = next().multipliedFullWidth(by: bound)
        let unfair = (0 &- bound) % bound
        while product.low < unfair { product = next().multipliedFullWidth(by: bound) }
        return product.high
    }

    /// Returns a number in `0..<1`, a multiple of 2⁻⁵³.
    public mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

    private static func rotated(_ bits: UInt64, by count: UInt64) -> UInt64 { bits << count | bits >> (64 - count) }
}

/// The generator that expands a seed into the state of `SeededRandom`.
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
