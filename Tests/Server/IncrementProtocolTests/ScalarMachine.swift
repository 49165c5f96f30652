import IncrementProtocol
import Testing

/// The protocol one byte at a time: the reference for the fast machine.
struct ScalarMachine {
    var isInMessage = false

    mutating func reply(_ byte: UInt8) -> UInt8? {
        guard isInMessage else { isInMessage = byte == 0x5E; return nil }
        return byte == 0x24
            ? {
                isInMessage = false; return nil
            }() : byte &+ 1
    }
}

extension ServerMachine {
    /// The reply to some bytes, written to an output with exactly enough room.
    mutating func reply(to input: ArraySlice<UInt8>) -> [UInt8] {
        [UInt8](capacity: input.count) { output in
            let consumed = receive(input.span, into: &output)
            #expect(consumed == input.count)
        }
    }
}
