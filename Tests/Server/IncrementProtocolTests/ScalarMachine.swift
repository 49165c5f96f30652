import IncrementProtocol
import Testing

/// An implementation of the protocol that processes one byte at a time, as a reference for `ServerMachine`.
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
    /// Returns the reply to the input.
    ///
    /// The reply's buffer has exactly the size of the input.
    mutating func reply(to input: ArraySlice<UInt8>) -> [UInt8] {
        [UInt8](capacity: input.count) { output in
            let consumed = receive(input.span, into: &output)
            #expect(consumed == input.count)
        }
    }
}
