import LibUV
import SystemCalls
import Testing

/// Tests of connecting TCP streams, setting their options and closing them.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct ConnectionTests {
    /// Tests behaviour 52 of docs/behaviours.md.
    @Test(arguments: ["127.0.0.1", "::1"]) func eachEndKnowsBothAddresses(_ host: String) throws {
        try withLoop { loop in
            let connection = try Connection.make(on: loop, address: try SocketAddress(parsing: host, port: 0))
            #expect(try connection.client.localAddress == connection.server.remoteAddress)
            #expect(try connection.client.remoteAddress == connection.server.localAddress)
            connection.close()
            try loop.run()
        }
    }

    /// Tests behaviours 43 and 45, and pitfall 26 of docs/behaviours.md.
    ///
    /// Promise of the article "Errors".
    @Test func closingWhileConnectingCancels() throws {
        try withLoop { loop in
            let stream = try UVTCPStream(on: loop)
            let record = Record()
            // No host has this address, because it is reserved for documentation.
            do {
                try stream.connect(to: try SocketAddress(parsing: "192.0.2.1:9")) { result in
                    if case .failure(let error) = result {
                        record.note(error.code == .cancelled ? "cancelled" : "refused")
                    }
                }
                #expect(throws: UVError(.alreadyInProgress, operation: "uv_tcp_connect")) {
                    try stream.connect(to: .loopback(port: 1)) { _ in record.note("second") }
                }
            } catch { record.note("refused") }
            stream.close { record.note("closed") }
            try loop.run()
            #expect(record.events.count == 2)
            #expect(record.events.last == "closed")
        }
    }

    /// Tests behaviour 44 and pitfall 26 of docs/behaviours.md.
    @Test func aRefusedConnectionLeavesTheStreamOpen() throws {
        try withLoop { loop in
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            let address = try listener.localAddress
            listener.close()
            try loop.run()
            let stream = try UVTCPStream(on: loop)
            var error: UVError?
            try stream.connect(to: address) { result in if case .failure(let failure) = result { error = failure } }
            try loop.run()
            #expect(error == UVError(.connectionRefused, operation: "uv_tcp_connect"))
            #expect(!stream.isClosing)
            #expect(throws: UVError(.notConnected, operation: "uv_tcp_getpeername")) { try stream.remoteAddress }
            stream.close()
            try loop.run()
        }
    }

    /// Tests behaviour 50 of docs/behaviours.md.
    @Test func aResetAfterAShutdownIsRefused() throws {
        try withLoop { loop in
            let connection = try Connection.make(on: loop)
            try connection.client.shutdown()
            #expect(throws: UVError(.invalidArgument, operation: "uv_tcp_close_reset")) {
                try connection.client.closeReset()
            }
            connection.close()
            try connection.client.closeReset()
            try loop.run()
        }
    }

    /// Tests behaviour 52 of docs/behaviours.md.
    ///
    /// Promise of the article "Errors".
    @Test func optionsAreSetAndWrongOnesRefused() throws {
        try withLoop { loop in
            let connection = try Connection.make(on: loop)
            let client = connection.client
            try client.setNoDelay(true)
            try client.setKeepAlive(after: .seconds(60))
            try client.setKeepAlive(after: nil)
            #expect(throws: UVError(.invalidArgument, operation: "uv_tcp_keepalive")) {
                try client.setKeepAlive(after: .zero)
            }
            try client.setSendBufferSize(20_000)
            try client.setReceiveBufferSize(30_000)
            #expect(try client.sendBufferSize >= 20_000)
            #expect(try client.receiveBufferSize >= 30_000)
            #expect(throws: UVError.self) { try client.setSendBufferSize(0) }
            #expect(throws: UVError.self) { try client.setReceiveBufferSize(-1) }
            #expect(try client.withUnsafeDescriptor { $0 } >= 0)
            connection.close()
            #expect(throws: UVError.self) { try client.setNoDelay(true) }
            #expect(throws: UVError.self) { try client.localAddress }
            #expect(throws: UVError.self) { try client.withUnsafeDescriptor { $0 } }
            try loop.run()
        }
    }

    /// Pitfalls 2 and 8: closing a stream twice in any of its callbacks is safe.
    ///
    /// Promises of the articles "Back-pressure" and "Ownership and lifetime".
    @Test(arguments: ["bytes", "end", "write", "shutdown", "connect"]) func closingInACallbackIsSafe(_ place: String)
        throws
    {
        try withLoop { loop in
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            try listener.listen { listener, _ in
                listener.close()
                guard let server = try? listener.accept() else { return }
                try? server.startReading { stream, event in
                    if case .end = event { stream.close() }
                    if case .failed = event { stream.close() }
                }
                try? server.write(server.buffer("hello"))
                if place == "end" { try? server.shutdown() }
            }
            let client = try UVTCPStream(on: loop)
            var closed = 0
            let closeTwice = {
                client.close { closed += 1 }
                client.close()
            }
            try client.connect(to: try listener.localAddress) { _ in
                if place == "connect" { return closeTwice() }
                try? client.startReading { _, event in
                    if case .bytes = event, place == "bytes" { closeTwice() }
                    if case .end = event { closeTwice() }
                }
                if place == "write" { try? client.write(client.buffer("x")) { _ in closeTwice() } }
                if place == "shutdown" { try? client.shutdown { _ in closeTwice() } }
            }
            // If the listener closes before it accepts, the client receives a reset or end of stream.
            while closed == 0, try loop.run(.once) { if listener.isClosed, client.isClosing { break } }
            client.close()
            loop.walk { $0.close() }
            try loop.run()
            #expect(client.isClosed)
        }
    }

    /// Behaviour 52: the size of a receive buffer must be set before the connection is established.
    @Test(arguments: ["127.0.0.1", "::1"]) func optionsAreSetBeforeConnecting(_ host: String) throws {
        try withLoop { loop in
            let listener = try UVTCPListener(on: loop)
            let address = try SocketAddress(parsing: host, port: 0)
            try listener.bind(to: address)
            try listener.listen { listener, _ in
                (try? listener.accept())?.close()
                listener.close()
            }
            let plain = try UVTCPStream(on: loop)
            #expect(throws: UVError.self) { try plain.setReceiveBufferSize(30_000) }
            plain.close()
            let client = try UVTCPStream(on: loop, family: address.family)
            try client.setReceiveBufferSize(30_000)
            try client.setNoDelay(true)
            var connected = 0
            try client.connect(to: try listener.localAddress) { result in
                if case .success = result { connected += 1 }
                client.close()
            }
            try loop.run()
            #expect(connected == 1)
        }
    }

    /// Pitfall 28: the stream owns an adopted descriptor, and closes it exactly once.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func aDescriptorIsTakenOverOnceAndClosedByTheStream() throws {
        try withLoop { loop in
            let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 4, isNonBlocking: false)
            let client = try StreamSocket.connect(to: try listener.localAddress, timeout: .seconds(5))
            guard case .connection(let accepted) = try listener.accept(isNonBlocking: true) else { return }
            let stream = try UVTCPStream(on: loop, adopting: accepted.release())
            let other = try UVTCPStream(on: loop, adopting: client.release())
            let collected = Collected()
            try other.collect(collected)
            try stream.write(stream.buffer("adopted"))
            try stream.shutdown { _ in stream.close() }
            try loop.run()
            #expect(collected.text == "adopted")
        }
    }
}
