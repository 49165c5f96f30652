import Foundation
import SocketAddresses
import SystemCalls
import Testing

@testable import Servers

/// Tests of the limits that every model has.
///
/// `RudeClientTests` covers the bytes buffered for a client that does not read.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LimitTests {
    @Test(arguments: Model.simultaneous) func aConnectionAtTheLimitIsAcceptedAndClosed(_ model: Model) throws {
        let server = try RunningServer(model, maxConnections: 2)
        let first = try TestClient.greeted(by: server)
        let second = try TestClient.greeted(by: server)
        for _ in 0..<3 { #expect(try TestClient(server.address).receiveToEnd().isEmpty) }
        try first.exchange("one")
        try second.socket.shutdown(.write)
        #expect(try second.receiveToEnd().isEmpty)
        // The second client has released its slot.
        let third = try TestClient.greeted(by: server)
        try third.exchange("three")
        let summary = try server.stop()
        #expect(summary.acceptedConnections == 3)
        #expect(summary.rejectedConnectionCount == 3)
    }

    @Test(arguments: Model.oneAtATime) func aServerOfOneClientAtATimeRejectsNoConnectionAtALimitOfOne(_ model: Model)
        throws
    {
        let server = try RunningServer(model, maxConnections: 1)
        for _ in 0..<3 {
            let client = try TestClient.greeted(by: server)
            // The next client waits in the backlog, so the limit does not apply to it.
            let next = try TestClient(server.address)
            try client.exchange("served")
            try client.socket.shutdown(.write)
            #expect(try client.receiveToEnd().isEmpty)
            #expect(try next.receive(1) == [0x2A])
            try next.socket.shutdown(.write)
            #expect(try next.receiveToEnd().isEmpty)
        }
        let summary = try server.stop()
        #expect(summary.acceptedConnections == 6)
        #expect(summary.rejectedConnectionCount == 0)
    }

    @Test(arguments: Model.simultaneous.indices) func withoutDescriptorsNewClientsAreRejectedAndTheOthersServed(
        _ index: Int
    ) async {
        // The descriptor limit applies to the whole process, so the test runs in its own process.
        await #expect(processExitsWith: .success) { [index] in
            let model = Model.simultaneous[index]
            let log = LogRecorder()
            // io_uring reads the limit when it begins to accept.
            try DescriptorLimit.set(soft: 256)
            let server = try RunningServer(model, logger: log.logger)
            try OpenDescriptors.visit(server)
            let first = try TestClient.greeted(by: server)
            let sockets = (0..<5).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
            OpenDescriptors.exhaust()
            var rejectedCount = 0
            for socket in sockets {
                try OpenDescriptors.connect(socket, to: server.address)
                // A thread that blocks in `accept` has already reserved a descriptor number for one more client.
                let client = try OpenDescriptors.client(socket)
                if try client.receive(1).isEmpty { rejectedCount += 1 }
                // The descriptor stays open, so that no other client can use its number.
                _ = client.release()
            }
            #expect(rejectedCount >= 4, "\(model.testDescription) rejected \(rejectedCount)")
            try first.exchange("still served")
            for socket in sockets { StreamSocket.close(socket) }
            try DescriptorLimit.set(soft: .max)
            try first.exchange("still served")
            // After a lack of descriptors, the server rejects all clients that are in the backlog. Therefore it may
            // reject a few more clients, although descriptors are free again.
            let deadline = ContinuousClock.now.advanced(by: .seconds(20))
            while true {
                let visitor = try TestClient(server.address)
                if try visitor.receive(1) == [0x2A] { break }
                rejectedCount += 1
                try #require(ContinuousClock.now < deadline)
            }
            let counted = try server.stop().rejectedConnectionCount
            #expect(counted == rejectedCount, "\(model.testDescription) counted \(counted) of \(rejectedCount)")
            #expect(
                log.messages.contains { $0.contains("rejected connections") && $0.contains("accept") },
                "\(log.messages)")
        }
    }

    @Test(arguments: Model.oneAtATime.indices) func aServerOfOneClientAtATimeNeedsOneDescriptor(_ index: Int) async {
        await #expect(processExitsWith: .success) { [index] in
            try DescriptorLimit.set(soft: 256)
            let server = try RunningServer(Model.oneAtATime[index])
            let first = try TestClient.greeted(by: server)
            let sockets = (0..<3).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
            OpenDescriptors.exhaust()
            for socket in sockets { try OpenDescriptors.connect(socket, to: server.address) }
            try first.exchange("served")
            try first.socket.shutdown(.write)
            #expect(try first.receiveToEnd().isEmpty)
            // Each client uses the descriptor number that the previous client has freed.
            for socket in sockets {
                let next = try OpenDescriptors.client(socket)
                #expect(try next.receive(1) == [0x2A])
                try next.exchange("served")
                try next.socket.shutdown(.write)
                #expect(try next.receiveToEnd().isEmpty)
            }
            let summary = try server.stop()
            #expect(summary.acceptedConnections == 4)
            #expect(summary.rejectedConnectionCount == 0)
        }
    }
}

/// Functions that use up and count the descriptors of this process.
private enum OpenDescriptors {
    /// Connects a client, exchanges a message and disconnects.
    ///
    /// The server opens some descriptors only when it serves its first client. After this call, they are open.
    static func visit(_ server: RunningServer) throws {
        let socketCount = try socketCount()
        try serveOneClient(server)
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while try self.socketCount() > socketCount, ContinuousClock.now < deadline { PosixThread.yield() }
        let left = try self.socketCount()
        #expect(left <= socketCount, "the visit has left \(left - socketCount) sockets open")
    }

    private static func serveOneClient(_ server: RunningServer) throws {
        let visitor = try TestClient.greeted(by: server)
        try visitor.exchange("a visit")
        try visitor.socket.shutdown(.write)
        #expect(try visitor.receiveToEnd().isEmpty)
    }

    /// Returns the number of descriptors that are sockets.
    private static func socketCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { name in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"))?
                .hasPrefix("socket:") == true
        }
    }

    /// Duplicates a descriptor until no descriptor is free.
    static func exhaust() {
        while dup(0) >= 0 {}
    }

    /// Creates a client that waits for at most 10 seconds to receive.
    static func client(_ socket: Int32) throws -> TestClient {
        let client = TestClient(adopting: socket)
        try client.socket.setReceiveTimeout(.seconds(10))
        return client
    }

    /// Connects a socket that the test created before it used up the descriptors.
    static func connect(_ socket: Int32, to address: SocketAddress) throws {
        var form = sockaddr_in()
        form.sin_family = sa_family_t(AF_INET)
        form.sin_port = address.port.bigEndian
        form.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = unsafe withUnsafePointer(to: &form) { form in
            unsafe form.withMemoryRebound(to: sockaddr.self, capacity: 1) { form in
                unsafe Glibc.connect(socket, form, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(status == 0)
    }
}
