internal import IncrementProtocol
public import SocketAddresses
public import SystemCalls

/// A client that sends without end and reads nothing, until its server takes no more.
public struct StalledClient: ~Copyable {
    private let socket: StreamSocket

    /// How many bytes it has sent.
    public let sentBytes: Int

    /// Connects, and sends until nothing has been taken for 200 milliseconds, or `limit` bytes have.
    public init(connectingTo address: SocketAddress, limit: Int = 64 << 20) throws(SystemCallError) {
        let socket = try StreamSocket.connect(to: address, timeout: .seconds(1))
        sentBytes = try StalledClient.fill(socket, limit: limit)
        self.socket = socket
    }

    private static func fill(_ socket: borrowing StreamSocket, limit: Int) throws(SystemCallError) -> Int {
        try socket.setNonBlocking(true)
        _ = try socket.send([ServerMachine.opening].span)
        let block = [UInt8](repeating: 0x61, count: 64 * 1024)
        var sentBytes = 1
        while sentBytes < limit, try socket.wait(for: .writable, timeout: .milliseconds(200)) {
            if case .bytes(let count) = try socket.send(block.span) { sentBytes += count }
        }
        return sentBytes
    }
}
