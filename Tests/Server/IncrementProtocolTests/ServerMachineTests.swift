import IncrementProtocol
import Testing

/// Every conversation, wherever its bytes are cut.
@Suite struct ServerMachineConversations {
    @Test func thereAreConversations() { #expect(Conversation.all.count >= 12) }

    @Test(arguments: Conversation.all) func whole(_ conversation: Conversation) {
        var machine = ServerMachine()
        #expect(machine.answer(to: conversation.input[...]) == conversation.answer)
    }

    @Test(arguments: Conversation.all) func inItsOwnChunks(_ conversation: Conversation) {
        var machine = ServerMachine()
        #expect(conversation.chunks.flatMap { machine.answer(to: $0[...]) } == conversation.answer)
    }

    @Test(arguments: Conversation.all) func byteByByte(_ conversation: Conversation) {
        var machine = ServerMachine()
        let input = conversation.input
        let answer = input.indices.flatMap { machine.answer(to: input[$0...$0]) }
        #expect(answer == conversation.answer)
    }

    @Test(arguments: Conversation.all) func atEveryTwoWayCut(_ conversation: Conversation) {
        let input = conversation.input
        // Sampled beyond 4 KiB, with a stride that no vector's width divides.
        for cut in stride(from: 0, through: input.count, by: input.count > 4096 ? 1021 : 1) {
            var machine = ServerMachine()
            let answer = machine.answer(to: input[..<cut]) + machine.answer(to: input[cut...])
            #expect(answer == conversation.answer, "cut at \(cut)")
        }
    }

    @Test(arguments: Conversation.all) func atRandomCuts(_ conversation: Conversation) {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<10 {
            var machine = ServerMachine()
            var rest = conversation.input[...]
            var answer: [UInt8] = []
            while !rest.isEmpty {
                let count = Int.random(in: 1...max(1, rest.count / 3), using: &generator)
                answer += machine.answer(to: rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            #expect(answer == conversation.answer)
        }
    }
}

/// The fast machine against the two-line one, over a million bytes of each of several distributions.
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
        let expected = input.compactMap { scalar.answer($0) }
        var machine = ServerMachine()
        var answer: [UInt8] = []
        answer.reserveCapacity(expected.count)
        var rest = input[...]
        while !rest.isEmpty {
            let count = min(rest.count, Int.random(in: 1...700, using: &generator))
            answer += machine.answer(to: rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        #expect(answer == expected, "\(distribution.name)")
        #expect(machine.isInMessage == scalar.isInMessage)
    }

    @Test func everyShortLengthAndEveryPlaceOfTheClosingByte() {
        for length in 0...150 {
            for closing in stride(from: 0, through: length, by: length > 70 ? 7 : 1) {
                var input = [UInt8](repeating: 0x62, count: length)
                if closing < length { input[closing] = 0x24 }
                var scalar = ScalarMachine(isInMessage: true)
                var machine = ServerMachine()
                _ = machine.answer(to: [0x5E])
                #expect(
                    machine.answer(to: input[...]) == input.compactMap { scalar.answer($0) }, "\(length) \(closing)")
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
        let answer = [UInt8](capacity: 3) { consumed = machine.receive(input.span, into: &$0) }
        #expect(consumed == 3)
        #expect(answer == Array("bc".utf8))
        #expect(machine.answer(to: input[3...]) == Array("defg".utf8))
    }

    @Test func appendsBehindWhatTheOutputHolds() {
        var machine = ServerMachine()
        let input = Array("^0000$".utf8)
        let answer = [UInt8](capacity: 16) { output in
            output.append(0x21)
            machine.receive(input.span, into: &output)
        }
        #expect(answer == Array("!1111".utf8))
    }

    @Test func anEmptyInputChangesNothing() {
        var machine = ServerMachine()
        #expect(machine.answer(to: []) == [])
        #expect(!machine.isInMessage)
    }

    @Test func theEndOfInputTellsWhetherAMessageWasOpen() {
        var machine = ServerMachine()
        #expect(machine.receiveEnd() == .betweenMessages)
        _ = machine.answer(to: [0x5E, 0x61])
        #expect(machine.receiveEnd() == .insideMessage)
        #expect(!machine.isInMessage)
    }
}
