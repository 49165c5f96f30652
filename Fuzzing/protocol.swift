// The server's machine: its replies follow the protocol, however the input is cut and however small the output is.
import IncrementProtocol

/// A reference implementation of the protocol, byte by byte.
private func reference(_ bytes: ArraySlice<UInt8>) -> (answer: [UInt8], isInMessage: Bool) {
    var answer: [UInt8] = []
    var isInMessage = false
    for byte in bytes {
        if !isInMessage {
            isInMessage = byte == 0x5E
        } else if byte == 0x24 {
            isInMessage = false
        } else {
            answer.append(byte &+ 1)
        }
    }
    return (answer, isInMessage)
}

/// The first byte decides how the others are cut, and the second how much room each reply has.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let all = Array(UnsafeBufferPointer(start: start, count: count))
    guard all.count >= 2 else { return 0 }
    let input = all.dropFirst(2)
    let expected = reference(input)
    var machine = ServerMachine()
    var answer: [UInt8] = []
    var rest = input
    while !rest.isEmpty {
        let piece = rest.prefix(1 + Int(all[0]) * (rest.startIndex % 5 + 1))
        let capacity = 1 + Int(all[1])
        var consumed = 0
        answer += [UInt8](capacity: capacity) { output in consumed = machine.receive(piece.span, into: &output) }
        precondition(consumed == min(piece.count, capacity), "consumed \(consumed) of \(piece.count)")
        rest = rest.dropFirst(consumed)
    }
    precondition(answer == expected.answer, "the answer is not the rule's")
    precondition(machine.isInMessage == expected.isInMessage)
    precondition((machine.receiveEnd() == .insideMessage) == expected.isInMessage)
    return 0
}
