import IncrementProtocol
import Testing

/// Tests that the count of closed messages does not depend on how the bytes are cut.
@Suite struct MessageCountTests {
    @Test(arguments: [
        ("", 0), ("^$", 1), ("$$$", 0), ("^a$b$^c$", 2), ("^^$$", 1), ("x^y", 0), ("^a$^b$^c", 2),
    ])
    func countsTheClosedMessages(_ text: String, _ count: Int) {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var machine = ServerMachine()
            let (head, tail) = (Array(bytes[..<cut]), Array(bytes[cut...]))
            let first = machine.messageCount(closedBy: head.span)
            _ = machine.reply(to: head[...])
            #expect(first + machine.messageCount(closedBy: tail.span) == count, "\(text) cut at \(cut)")
        }
    }
}
