import SocketAddresses
import SystemCalls
import Testing

/// A client of the administration server, with a timeout for every wait.
struct AdminClient: ~Copyable {
    let socket: StreamSocket

    init(_ address: SocketAddress) throws {
        let socket = try StreamSocket.connect(to: address, timeout: .seconds(20))
        try socket.setReceiveTimeout(.seconds(20))
        self.socket = socket
    }

    consuming func closeReset() throws { try socket.closeReset() }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        #expect(try socket.sendAll(bytes.span) == bytes.count)
    }

    /// Receives all bytes up to end of stream, and throws if the server resets the connection.
    func receiveToEnd() throws -> String {
        var received: [UInt8] = []
        var buffer = ReusableBuffer(capacity: 4096)
        while true {
            let result = try buffer.fill { output throws(SystemCallError) in try socket.receive(into: &output) }
            if result == .end { return String(decoding: received, as: UTF8.self) }
            if result == .wouldBlock { throw SystemCallError(code: Errno.timedOut, call: "receive") }
            buffer.withBytes { bytes in for index in bytes.indices { received.append(bytes[index]) } }
        }
    }

    /// Sends a request and receives the response.
    static func ask(_ address: SocketAddress, _ request: String) throws -> String {
        let client = try AdminClient(address)
        try client.send(request)
        return try client.receiveToEnd()
    }

    static func get(_ address: SocketAddress, _ path: String) throws -> String {
        try ask(address, "GET \(path) HTTP/1.1\r\nHost: \(address)\r\n\r\n")
    }
}
