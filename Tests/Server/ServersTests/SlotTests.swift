import Foundation
import LibUV
import Logging
import SocketAddresses
import SystemCalls
import Testing

@testable import Servers

/// Tests that a connection releases its slot exactly once if its setup fails.
@Suite struct SlotTests {
    private static func configuration() -> ServerConfiguration {
        var configuration = ServerConfiguration(address: .loopback(port: 0))
        configuration.maxConnections = 1
        return configuration
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func expectReleased(_ operations: Operations) {
        #expect(operations.admission.openCount == 0)
        let metrics = Operations.metrics([operations])
        #expect(metrics.acceptedConnections == 1)
        #expect(metrics.openConnections == 0)
        // If the slot had been released twice, the limit would admit two connections.
        #expect(operations.admit())
        #expect(!operations.admit())
    }

    @Test(arguments: [LibUVModel(writes: .queued), LibUVModel(writes: .eager)])
    func aStreamThatCannotBeRead(_ model: LibUVModel) throws {
        let configuration = Self.configuration()
        let worker = try LoopWorker(configuration, model, Admission(configuration), Self.logger)
        let (stream, peer) = try UVTCPStream.pair(on: worker.loop)
        // The test starts reading from the stream. When the model then starts reading, the call fails.
        try stream.startReading { _, _ in }
        worker.begin(stream)
        #expect(stream.isClosing)
        peer.close()
        worker.abandon()
        #expect(stream.isClosed)
        expectReleased(worker.operations)
    }

    @Test func aDescriptorThatEpollCannotWatch() throws {
        let configuration = Self.configuration()
        let operations = Operations(
            configuration, Admission(configuration), readSize: 1024, isLoop: true, Self.logger)
        var loop = try ReadinessLoop<EpollPoller>(
            EpollPoller(), SharedListener(configuration, isNonBlocking: true), WakeUp(), operations,
            readSize: 1024, stopCount: { 0 })
        let file = try FileHandle(forReadingFrom: URL(filePath: #filePath))
        let descriptor = dup(file.fileDescriptor)
        loop.begin(descriptor)
        #expect(fcntl(descriptor, F_GETFD) == -1, "the descriptor must be closed")
        let metrics = Operations.metrics([operations])
        #expect(metrics.rejectedConnections == [.failure: 1])
        expectReleased(operations)
    }
}
