import Conversations
import IncrementProtocol
import Testing

/// Tests of every conversation, with its bytes cut in several ways.
@Suite struct ServerMachineConversations {
    @Test func theListOfConversationsIsNotEmpty() { #expect(Conversation.all.count >= 12) }

    @Test(arguments: Conversation.all) func whole(_ conversation: Conversation) {
        var machine = ServerMachine()
        #expect(machine.reply(to: conversation.input[...]) == conversation.reply)
    }

    @Test(arguments: Conversation.all) func inItsOwnChunks(_ conversation: Conversation) {
        var machine = ServerMachine()
        #expect(conversation.chunks.flatMap { machine.reply(to: $0[...]) } == conversation.reply)
    }

    @Test(arguments: Conversation.all) func byteByByte(_ conversation: Conversation) {
        var machine = ServerMachine()
        let input = conversation.input
        let reply = input.indices.flatMap { machine.reply(to: input[$0...$0]) }
        #expect(reply == conversation.reply)
    }

    @Test(arguments: Conversation.all) func atEveryTwoWayCut(_ conversation: Conversation) {
        let input = conversation.input
        // Long conversations are cut only at a sample of positions. The stride 1021 is not a multiple of any vector's
        // width.
        for cut in stride(from: 0, through: input.count, by: input.count > 4096 ? 1021 : 1) {
            var machine = ServerMachine()
            let reply = machine.reply(to: input[..<cut]) + machine.reply(to: input[cut...])
            #expect(reply == conversation.reply, "cut at \(cut)")
        }
    }

    @Test(arguments: Conversation.all) func atRandomCuts(_ conversation: Conversation) {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<10 {
            var machine = ServerMachine()
            var rest = conversation.input[...]
            var reply: [UInt8] = []
            while !rest.isEmpty {
                let count = Int.random(in: 1...max(1, rest.count / 3), using: &generator)
                reply += machine.reply(to: rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            #expect(reply == conversation.reply)
        }
    }
}

/// Compares `ServerMachine` with `ScalarMachine` on one million bytes from each of several distributions.
@Suite struct ServerMachineComparison {
    static let distributions: [(name: String, draw: @Sendable (inout SeededGenerator) -> UInt8)] = [
        ("uniform", { UInt8.random(in: 0...255, using: &$0) }),
        ("dense delimiters", { [0x5E, 0x24, 0x61][Int.random(in: 0..<3, using: &$0)] }),
        (
            "rare delimiters",
            { Int.random(in: 0..<2000, using: &$0) == 0 ? [0x5E, 0x24][Int.random(in: 0..<2, using: &$0)] : 0x61 }
        ),
        ("short messages", { [0x5E, 0x24, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66][Int.random(in: 0..<8, using: &$0)] }),
        ("openings", { Int.random(in: 0..<50, using: &$0) == 0 ? 0x24 : 0x5E }),
        ("closings", { Int.random(in: 0..<50, using: &$0) == 0 ? 0x5E : 0x24 }),
    ]

    @Test(arguments: 0..<6) func agreesWithTheScalarMachine(_ index: Int) {
        let distribution = Self.distributions[index]
        var generator = SeededGenerator(seed: UInt64(index) + 1)
        let input = (0..<1_000_000).map { _ in distribution.draw(&generator) }
        var scalar = ScalarMachine()
        let expected = input.compactMap { scalar.reply($0) }
        var machine = ServerMachine()
        var reply: [UInt8] = []
        reply.reserveCapacity(expected.count)
        var rest = input[...]
        while !rest.isEmpty {
            let count = min(rest.count, Int.random(in: 1...700, using: &generator))
            reply += machine.reply(to: rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        #expect(reply == expected, "\(distribution.name)")
        #expect(machine.isInMessage == scalar.isInMessage)
    }

    @Test func everyShortLengthAndEveryPlaceOfTheClosingByte() {
        for length in 0...150 {
            for closing in stride(from: 0, through: length, by: length > 70 ? 7 : 1) {
                var input = [UInt8](repeating: 0x62, count: length)
                if closing < length { input[closing] = 0x24 }
                var scalar = ScalarMachine(isInMessage: true)
                var machine = ServerMachine()
                _ = machine.reply(to: [0x5E])
                #expect(
                    machine.reply(to: input[...]) == input.compactMap { scalar.reply($0) }, "\(length) \(closing)")
            }
        }
    }
}

@Suite struct ServerMachineLimits {
    @Test func greetsWithAStar() {
        #expect([UInt8](capacity: 4) { ServerMachine().greet(into: &$0) } == [0x2A])
        #expect([UInt8](capacity: 0) { ServerMachine().greet(into: &$0) } == [])
    }

    @Test func consumesNoMoreThanTheOutputHasRoomFor() {
        var machine = ServerMachine()
        let input = Array("^abcdef$".utf8)
        var consumed = 0
        let reply = [UInt8](capacity: 3) { consumed = machine.receive(input.span, into: &$0) }
        #expect(consumed == 3)
        #expect(reply == Array("bc".utf8))
        #expect(machine.reply(to: input[3...]) == Array("defg".utf8))
    }

    @Test func appendsBehindWhatTheOutputHolds() {
        var machine = ServerMachine()
        let input = Array("^0000$".utf8)
        let reply = [UInt8](capacity: 16) { output in
            output.append(0x21)
            machine.receive(input.span, into: &output)
        }
        #expect(reply == Array("!1111".utf8))
    }

    @Test func anEmptyInputChangesNothing() {
        var machine = ServerMachine()
        #expect(machine.reply(to: []) == [])
        #expect(!machine.isInMessage)
    }

    @Test func theEndOfInputReportsWhetherAMessageWasOpen() {
        var machine = ServerMachine()
        #expect(machine.receiveEnd() == .betweenMessages)
        _ = machine.reply(to: [0x5E, 0x61])
        #expect(machine.receiveEnd() == .insideMessage)
        #expect(!machine.isInMessage)
    }
}
