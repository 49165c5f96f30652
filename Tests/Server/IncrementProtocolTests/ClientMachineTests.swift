import Conversations
import IncrementProtocol
import Testing

@Suite struct ClientMachineTests {
    private func frame(_ payload: String, capacity: Int = 64) throws -> [UInt8] {
        var failure: ClientMachine.FramingError?
        let bytes = Array(payload.utf8)
        let frame = [UInt8](capacity: capacity) { output in
            do throws(ClientMachine.FramingError) { try ClientMachine.frame(bytes.span, into: &output) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return frame
    }

    @Test func framesAPayload() throws { #expect(try frame("a^b") == Array("^a^b$".utf8)) }

    @Test func rejectsAPayloadThatWouldCloseItsMessage() {
        #expect(throws: ClientMachine.FramingError.closingByte(offset: 2)) { try frame("ab$c") }
    }

    @Test func rejectsAnOutputThatIsTooSmall() {
        #expect(throws: ClientMachine.FramingError.needsCapacity(5)) { try frame("abc", capacity: 4) }
    }

    @Test func recognisesGreetingAndReplyByteByByte() {
        var machine = ClientMachine()
        let reply = Array("bcd".utf8)
        var verdicts: [ClientMachine.Verdict] = []
        for byte in Array("*bcd".utf8) {
            verdicts.append(machine.receive([byte].span, expecting: reply.span))
        }
        #expect(verdicts == [.needMore, .needMore, .needMore, .complete(consumed: 1)])
    }

    @Test func stopsAtTheEndOfEachReply() {
        var machine = ClientMachine()
        let bytes = Array("*bcd12".utf8)
        #expect(machine.receive(bytes.span, expecting: Array("bcd".utf8).span) == .complete(consumed: 4))
        #expect(machine.receive(Array("12".utf8).span, expecting: Array("123".utf8).span) == .needMore)
        #expect(machine.checkedCount == 2)
        #expect(machine.receive(Array("3".utf8).span, expecting: Array("123".utf8).span) == .complete(consumed: 1))
    }

    @Test func reportsTheWrongByte() {
        var machine = ClientMachine()
        let verdict = machine.receive(Array("*bxd".utf8).span, expecting: Array("bcd".utf8).span)
        #expect(verdict == .mismatch(offset: 1, expected: 0x63, actual: 0x78))
    }

    @Test func reportsAWrongGreeting() {
        var machine = ClientMachine()
        #expect(machine.receive([0x21].span, expecting: [0x61].span) == .wrongGreeting(actual: 0x21))
    }

    @Test(arguments: Conversation.all) func mirrorsTheServer(_ conversation: Conversation) {
        var client = ClientMachine()
        let bytes = [ServerMachine.greeting] + conversation.reply
        #expect(client.receive(bytes.span, expecting: conversation.reply.span) == .complete(consumed: bytes.count))
    }
}
