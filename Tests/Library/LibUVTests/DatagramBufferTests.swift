import CLibUV
import Testing

@testable import LibUV

/// Tests of the memory into which datagrams are received.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct DatagramBufferTests {
    /// Behaviour 56, pitfall 18: without a receive buffer, the socket reports an error and loses no datagram.
    ///
    /// A loop always has a receive buffer, so the test sets the buffer's length to zero. The corresponding test of
    /// libuv is udp_alloc_cb_fail.
    @Test func withoutABufferTheFailureIsReportedAndTheDatagramIsNotLost() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let receiver = try UVUDP.receiver(on: loop, datagrams)
            let size = unsafe loop.cell.pointee.read_buffer.len
            unsafe loop.cell.pointee.read_buffer.len = 0
            #expect(try receiver.offer("kept", to: try receiver.localAddress))
            try loop.runUntil { !datagrams.failures.isEmpty }
            #expect(datagrams.failures == [UVError(.noBufferSpace, operation: "uv_udp_recv_start")])
            #expect(datagrams.received.isEmpty && receiver.isActive)
            unsafe loop.cell.pointee.read_buffer.len = size
            try loop.runUntil { datagrams.received.count == 1 }
            #expect(datagrams.texts == ["kept"])
        }
    }

    /// Steady-state sends do not allocate, because the loop keeps and reuses their requests.
    @Test func theRequestsOfSendsAreUsedAgain() throws {
        try withLoop { loop in
            let socket = try UVUDP.receiver(on: loop, Datagrams())
            let address = try socket.localAddress
            var requests: [DatagramRequests.Request?] = unsafe []
            for _ in 0..<3 {
                var isSent = false
                try socket.send(socket.buffer("x"), to: address) { _ in isSent = true }
                try loop.runUntil { isSent }
                let request = unsafe loop.state.pointee.datagramRequests.take()
                unsafe requests.append(request)
                unsafe loop.state.pointee.datagramRequests.giveBack(request)
            }
            #expect(unsafe requests[0] == requests[1] && requests[1] == requests[2])
            #expect(loop.statistics.buffers.made == 1)
        }
    }
}
