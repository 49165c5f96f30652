import Measurements
import ProxyProtocol
import Testing

/// Tests that cutting a header at random positions does not change the result.
///
/// In about a third of the headers, one byte is random, so that some headers are invalid.
@Suite struct RandomCuts {
    private func draw(_ generator: inout SeededRandom) -> [UInt8] {
        let families: [UInt8] = [0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32]
        let family = families[Int.random(in: 0..<families.count, using: &generator)]
        let room = [0, 12, 36, 216][Int(family >> 4)]
        var block = (0..<room).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let value = [UInt8](repeating: 7, count: Int.random(in: 0...40, using: &generator))
            block += HeaderBytes.field(UInt8.random(in: 4...255, using: &generator), value)
        }
        var bytes = HeaderBytes.header(Bool.random(using: &generator) ? 0x20 : 0x21, family, block)
        if Int.random(in: 0..<3, using: &generator) == 0 {
            bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        return bytes + [UInt8](repeating: 0x5E, count: Int.random(in: 0...20, using: &generator))
    }

    @Test func makeNoDifference() {
        var generator = SeededRandom(seed: 6)
        var completed = 0
        for _ in 0..<3000 {
            let bytes = draw(&generator)
            let whole = Outcome(of: bytes)
            if Outcome.isComplete(whole.progress) { completed += 1 }
            #expect(whole.consumed <= min(bytes.count, ProxyHeaderParser.maxLength))
            let cuts = (0..<Int.random(in: 1...6, using: &generator))
                .map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
            #expect(Outcome(of: bytes, cutAt: cuts) == whole, "\(bytes) cut at \(cuts)")
            #expect(Outcome(of: bytes, cutAt: Array(bytes.indices)) == whole, "\(bytes)")
        }
        // Both complete headers and other results must be frequent.
        #expect((1500..<2900).contains(completed), "\(completed)")
    }
}
