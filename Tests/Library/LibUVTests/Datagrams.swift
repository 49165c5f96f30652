import LibUV
import Testing

/// The events that a datagram socket has reported.
final class Datagrams {
    struct Received: Equatable {
        let text: String
        let sender: SocketAddress
    }
    var received: [Received] = []
    var byteCounts: [Int] = []
    var truncatedCount = 0
    var closedCount = 0
    var failures: [UVError] = []
    var texts: [String] { received.map(\.text) }

    func note(_ event: borrowing UVUDPEvent) {
        switch event {
        case .datagram(let bytes, let sender, let isTruncated):
            let text = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
            received.append(Received(text: text, sender: sender))
            byteCounts.append(bytes.count)
            if isTruncated { truncatedCount += 1 }
        case .failed(let error): failures.append(error)
        case .closed: closedCount += 1
        }
    }
}

extension UVUDP {
    /// Creates a socket bound to a free loopback port, and records its events.
    static func receiver(
        on loop: UVLoop, _ datagrams: Datagrams, host: String = "127.0.0.1", receivesBatches: Bool = false
    ) throws -> UVUDP {
        let socket = try UVUDP(on: loop, receivesBatches: receivesBatches)
        try socket.bind(to: try SocketAddress(parsing: host, port: 0))
        try socket.startReceiving { _, event in datagrams.note(event) }
        return socket
    }

    /// Creates a buffer with the bytes.
    func buffer(_ bytes: [UInt8]) -> UVBuffer {
        var buffer = loop.makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes.span)
        return buffer
    }

    func buffer(_ text: String) -> UVBuffer { buffer(Array(text.utf8)) }

    /// Sends the bytes if the kernel accepts them immediately.
    func offer(_ bytes: [UInt8], to destination: SocketAddress? = nil) throws(UVError) -> Bool {
        try trySend(bytes.span, to: destination)
    }

    func offer(_ text: String, to destination: SocketAddress? = nil) throws(UVError) -> Bool {
        try offer(Array(text.utf8), to: destination)
    }
}

extension UVLoop {
    /// Runs the loop until the condition holds or 20 seconds have passed.
    func runUntil(_ isDone: () -> Bool) throws {
        var isLate = false
        let deadline = try UVTimer(on: self)
        try deadline.start(after: .seconds(20)) { _ in isLate = true }
        deadline.unref()
        while !isDone(), !isLate, try run(.once) {}
        deadline.close()
        #expect(isDone())
    }
}

/// Sends a greeting from each of several sockets to an echo server, and returns the replies.
nonisolated(nonsending) func echoes(
    of count: Int, at address: SocketAddress, on loop: UVLoop
) async throws -> Set<String> {
    try await withThrowingTaskGroup(of: String.self) { group in
        for index in 0..<count {
            group.addTask {
                try await loop.withDatagramSocket(to: address) { client in
                    try await client.send("hello \(index)")
                    return String(decoding: try await client.receive().buffer.bytes, as: UTF8.self)
                }
            }
        }
        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
}
