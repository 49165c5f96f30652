import Conversations
import IncrementProtocol
import Servers
import SystemCalls
import Testing

/// Tests of every conversation with every model.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ConversationTests {
    @Test(arguments: Model.all) func repliesToEveryConversation(_ model: Model) throws {
        let server = try RunningServer(model)
        for conversation in Conversation.all {
            let client = try TestClient.greeted(by: server)
            for chunk in conversation.chunks { try client.send(chunk) }
            try client.socket.shutdown(.write)
            #expect(try client.receiveToEnd() == conversation.reply, "\(model.testDescription): \(conversation.name)")
        }
        let summary = try server.stop()
        #expect(summary.acceptedConnections == Conversation.all.count)
        #expect(summary.receivedByteCount == Conversation.all.map(\.input.count).reduce(0, +))
        // The server sends a greeting of one byte to each client, and then the replies.
        #expect(summary.sentByteCount == Conversation.all.map(\.reply.count).reduce(Conversation.all.count, +))
    }

    @Test(arguments: Model.all) func repliesByteByByte(_ model: Model) throws {
        let server = try RunningServer(model)
        for conversation in Conversation.all where conversation.input.count <= 1024 {
            let client = try TestClient.greeted(by: server)
            try client.socket.setNoDelay(true)
            for byte in conversation.input { try client.send([byte]) }
            try client.socket.shutdown(.write)
            #expect(try client.receiveToEnd() == conversation.reply, "\(model.testDescription): \(conversation.name)")
        }
        try server.stop()
    }

    @Test(arguments: Model.all) func repliesAtRandomCuts(_ model: Model) throws {
        let server = try RunningServer(model)
        var generator = SeededGenerator(seed: 3)
        for conversation in Conversation.all where !conversation.input.isEmpty {
            let client = try TestClient.greeted(by: server)
            var rest = conversation.input[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...max(1, rest.count / 4), using: &generator)
                try client.send(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            try client.socket.shutdown(.write)
            #expect(try client.receiveToEnd() == conversation.reply, "\(model.testDescription): \(conversation.name)")
        }
        try server.stop()
    }

    @Test(arguments: Model.all) func repliesToEverythingInOneSegment(_ model: Model) throws {
        let server = try RunningServer(model)
        let client = try TestClient(server.address)
        // The client sends its messages and FIN before it reads the greeting.
        try client.send("^abc$ignored^0000$")
        try client.socket.shutdown(.write)
        #expect(try client.receiveToEnd() == Array("*bcd1111".utf8))
        try server.stop()
    }
}
