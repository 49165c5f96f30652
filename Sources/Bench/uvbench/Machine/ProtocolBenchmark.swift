import IncrementProtocol
import Measurements
import SystemCalls

/// Measures the speed of the protocol's state machine, of memcpy and of a scalar loop on the same input.
struct ProtocolBenchmark {
    /// An input: its bytes, and the number of bytes that each call passes to the state machine.
    struct Input {
        let name: String
        let bytes: [UInt8]
        /// The number of bytes per call.
        let callSize: Int

        /// Returns an input of one message that contains no delimiters, processed in one call.
        static func message(byteCount: Int) -> Input {
            let payload = (0..<byteCount).map { UInt8(truncatingIfNeeded: 0x61 + $0 % 26) }
            let bytes = [ServerMachine.opening] + payload + [ServerMachine.closing]
            return Input(name: "message of \(byteCount) B", bytes: bytes, callSize: bytes.count)
        }

        /// Inputs that are slow for a state machine that searches for delimiters.
        static var hostile: [Input] {
            let dense = (0..<65536).map { [0x5E, 0x61, 0x24][$0 % 3] as UInt8 }
            var random = SeededRandom(seed: 42)
            let anything = (0..<65536).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            return [
                Input(name: "dense delimiters", bytes: dense, callSize: dense.count),
                Input(name: "random bytes", bytes: anything, callSize: anything.count),
                Input(name: "a byte at a time", bytes: Array(message(byteCount: 4096).bytes), callSize: 1),
            ]
        }
    }

    /// The speeds in GB (10⁹ bytes) of input per second.
    struct Speed {
        var memcpy = 0.0
        var scalar = 0.0
        var machine = 0.0
    }

    let input: Input

    /// Measures the state machine, memcpy and the scalar loop in alternating rounds.
    ///
    /// For each of the three, only the fastest round counts.
    func measure(for time: Duration) -> Speed {
        var output = ReusableBuffer(capacity: input.bytes.count)
        var speed = Speed()
        let rounds = 12
        for _ in 0..<rounds {
            let share = time / (3 * rounds)
            speed.memcpy = max(speed.memcpy, rate(share) { span in output.fill { copyBytes(from: span, into: &$0) } })
            var scalar = ScalarMachine()
            speed.scalar = max(speed.scalar, rate(share) { span in output.fill { scalar.receive(span, into: &$0) } })
            var machine = ServerMachine()
            speed.machine = max(
                speed.machine, rate(share) { span in _ = output.fill { machine.receive(span, into: &$0) } })
        }
        return speed
    }

    /// Returns the speed of `body` in bytes per nanosecond.
    @inline(__always)
    private func rate(_ time: Duration, _ body: (Span<UInt8>) -> Void) -> Double {
        let passes = max(1, 65536 / input.bytes.count)
        let begin = ContinuousClock.now
        var byteCount = 0
        var elapsed = Duration.zero
        repeat {
            for _ in 0..<passes {
                if input.callSize == input.bytes.count {
                    body(input.bytes.span)
                } else {
                    for offset in stride(from: 0, to: input.bytes.count, by: input.callSize) {
                        body(input.bytes.span.extracting(offset..<min(offset + input.callSize, input.bytes.count)))
                    }
                }
            }
            byteCount += passes * input.bytes.count
            elapsed = begin.duration(to: .now)
        } while elapsed < time
        return Double(byteCount) / (elapsed / .nanoseconds(1))
    }
}

/// A straightforward implementation of the protocol, which processes one byte at a time.
private struct ScalarMachine {
    private var isInMessage = false

    mutating func receive(_ input: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
        for index in input.indices {
            let byte = input[index]
            if !isInMessage {
                isInMessage = byte == 0x5E
            } else if byte == 0x24 {
                isInMessage = false
            } else {
                output.append(byte &+ 1)
            }
        }
    }
}
