// Fuzzes the server's state machine. Its replies must follow the protocol, however the input is split and however small
// the output is.
import IncrementProtocol

/// Computes the reply byte by byte, as a reference for the state machine.
private func reference(_ bytes: ArraySlice<UInt8>) -> (reply: [UInt8], isInMessage: Bool) {
    var reply: [UInt8] = []
    var isInMessage = false
    for byte in bytes {
        if !isInMessage {
            isInMessage = byte == 0x5E
        } else if byte == 0x24 {
            isInMessage = false
        } else {
            reply.append(byte &+ 1)
        }
    }
    return (reply, isInMessage)
}

/// Processes one input, which begins with two bytes of settings.
///
/// The first byte decides how the other bytes are split, and the second byte sets the output's capacity.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let all = Array(UnsafeBufferPointer(start: start, count: count))
    guard all.count >= 2 else { return 0 }
    let input = all.dropFirst(2)
    let expected = reference(input)
    var machine = ServerMachine()
    var reply: [UInt8] = []
    var rest = input
    while !rest.isEmpty {
        let piece = rest.prefix(1 + Int(all[0]) * (rest.startIndex % 5 + 1))
        let capacity = 1 + Int(all[1])
        var consumed = 0
        reply += [UInt8](capacity: capacity) { output in consumed = machine.receive(piece.span, into: &output) }
        precondition(consumed == min(piece.count, capacity), "consumed \(consumed) of \(piece.count)")
        rest = rest.dropFirst(consumed)
    }
    precondition(reply == expected.reply, "the reply differs from the protocol")
    precondition(machine.isInMessage == expected.isInMessage)
    precondition((machine.receiveEnd() == .insideMessage) == expected.isInMessage)
    return 0
}
