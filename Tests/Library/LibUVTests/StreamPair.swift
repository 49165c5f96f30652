import Foundation
import LibUV
import Synchronization
import Testing

/// A way to create two connected streams.
///
/// Some behaviour is common to all streams. A test of such behaviour runs once for each kind of pair.
enum StreamKind: CaseIterable {
    case tcp, tcpOverIPv6, tcpPair
    case pipeAtAPath, pipeWithAnAbstractName, pipePair, pipePairThatPassesHandles
}

/// Both ends of a connection on the same loop.
struct StreamPair {
    let client: UVStream
    let server: UVStream

    static func make(_ kind: StreamKind, on loop: UVLoop) throws -> StreamPair {
        switch kind {
        case .tcp: return StreamPair(try Connection.make(on: loop))
        case .tcpOverIPv6:
            return StreamPair(try Connection.make(on: loop, address: try SocketAddress(parsing: "::1", port: 0)))
        case .tcpPair:
            let (client, server) = try UVTCPStream.pair(on: loop)
            return StreamPair(client: client, server: server)
        case .pipeAtAPath: return StreamPair(try PipeConnection.make(on: loop, name: .path(temporaryPath())))
        case .pipeWithAnAbstractName:
            return StreamPair(try PipeConnection.make(on: loop, name: .abstract(temporaryPath())))
        case .pipePair, .pipePairThatPassesHandles:
            let (client, server) = try UVPipe.pair(on: loop, passesHandles: kind == .pipePairThatPassesHandles)
            return StreamPair(client: client, server: server)
        }
    }

    init(client: UVStream, server: UVStream) {
        self.client = client
        self.server = server
    }

    init(_ connection: Connection) { self.init(client: connection.client, server: connection.server) }

    init(_ connection: PipeConnection) { self.init(client: connection.client, server: connection.server) }

    func close() {
        client.close()
        server.close()
    }
}

/// Both ends of a connection between pipes, on the same loop.
struct PipeConnection {
    let client: UVPipe
    let server: UVPipe

    /// Creates a connection, and closes the listener that accepted it.
    static func make(on loop: UVLoop, name: UVPipeName, passesHandles: Bool = false) throws -> PipeConnection {
        let listener = try UVPipeListener(on: loop)
        try listener.bind(to: name)
        var accepted: UVPipe?
        try listener.listen { listener, _ in
            accepted = try? listener.accept(passesHandles: passesHandles)
            listener.close()
        }
        let client = try UVPipe(on: loop, passesHandles: passesHandles)
        var isConnected = false
        try client.connect(to: name) { result in isConnected = (try? result.get()) != nil }
        while accepted == nil || !isConnected || !listener.isClosed { try loop.run(.once) }
        return PipeConnection(client: client, server: try #require(accepted))
    }
}

private let pathCount = Atomic<Int>(0)

/// Returns a path that no other test uses.
func temporaryPath() -> String {
    "/tmp/uv-\(getpid())-\(pathCount.add(1, ordering: .relaxed).newValue)"
}
