import Glibc
import IncrementProtocol
import Logging
import SocketAddresses
import SystemCalls
import Testing

@testable import Servers

/// Tests of one conversation of a blocking model.
@Suite(.timeLimit(.minutes(1))) struct BlockingConversationTests {
    /// In a drain, bytes that arrive together with FIN after the last read are read before the connection closes.
    @Test func bytesBeforeALateFINAreRead() throws {
        let configuration = ServerConfiguration(address: .loopback(port: 0))
        let workers = BlockingWorkers(configuration, Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let listener = try ListeningSocket(address: configuration.address, backlog: 1, isNonBlocking: false)
        let peer = try StreamSocket.connect(to: listener.localAddress, timeout: .seconds(5))
        let number = try #require(
            ListeningSocket.acceptWaiting(on: listener.rawValue, isNonBlocking: false))
        let socket = StreamSocket(adopting: number)
        let client = BlockingWorkers.Client(
            Operations(sharing: workers.operations), workers.descriptors.makeEntry())
        var session = client.operations.open(number).session
        var conversation = BlockingConversation(1, number, client, workers)
        workers.stop()
        try socket.shutdown(.read)
        // The read side is shut down, and the client has sent nothing: the conversation waits for the client.
        let waits = conversation.mayReadAgain(&session)
        #expect(waits)
        #expect(try peer.sendAll(Array("^a$".utf8).span) == 3)
        try peer.shutdown(.write)
        while TCPState(of: number)?.peerHasShutDown != true { sched_yield() }
        let readsBytes = conversation.mayReadAgain(&session)
        #expect(readsBytes)
        #expect(try socket.receive(upTo: 64) == Array("^a$".utf8))
        let continues = conversation.mayReadAgain(&session)
        #expect(!continues)
    }
}
