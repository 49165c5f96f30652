import IncrementProtocol
import SocketAddresses
import SystemCalls

/// A server with one deliberate fault.
final class LyingServer: Sendable {
    enum Lie: Sendable {
        /// The greeting is missing.
        case silence
        /// The greeting is a wrong byte.
        case greeting(UInt8)
        /// One byte of the n-th reply is wrong.
        case wrongByte(reply: Int)
        /// The n-th reply is missing.
        case missing(reply: Int)
        /// Surplus bytes follow the n-th reply.
        case surplus(reply: Int, [UInt8])
        /// The first connection sends the n-th reply of the second connection, and vice versa.
        case exchange(reply: Int)
        /// The server closes the connection before the n-th reply.
        case end(reply: Int)
        /// The server sends bytes without a request.
        case unasked([UInt8])
        /// The server pauses before every reply.
        case slow(Duration)
        /// The first bytes of the n-th reply are missing.
        case cut(reply: Int, byteCount: Int)
    }

    let address: SocketAddress
    private let listener: Listener
    private let threads = ThreadGroup()

    private final class Listener: Sendable {
        let socket: ListeningSocket
        init(_ socket: consuming ListeningSocket) { self.socket = socket }
    }

    init(_ lie: Lie) throws {
        let listener = Listener(try ListeningSocket(address: .loopback(port: 0), backlog: 64, isNonBlocking: false))
        self.listener = listener
        address = try listener.socket.localAddress
        let threads = threads
        let exchange = LyingConversation.Exchange()
        try threads.start {
            var number = 0
            while case .connection(let socket)? = try? listener.socket.accept(isNonBlocking: false) {
                let conversation = LyingConversation(lie: lie, number: number, exchange: exchange)
                let descriptor = socket.release()
                number += 1
                try? threads.start {
                    var conversation = conversation
                    try? conversation.run(StreamSocket(adopting: descriptor))
                }
            }
        }
    }

    deinit {
        listener.socket.shutdown()
        threads.joinAll()
    }
}

/// One connection of a lying server.
struct LyingConversation: Sendable {
    let lie: LyingServer.Lie
    let number: Int
    let exchange: Exchange
    private var isInMessage = false
    private var replies = 0
    private var reply: [UInt8] = []

    /// Exchanges the replies of two connections, so that each connection sends the reply of the other connection.
    final class Exchange: Sendable {
        private let replies = Monitor<[Int: [UInt8]]>([:])

        func swap(_ mine: [UInt8], from connection: Int) -> [UInt8] {
            replies.withLock { $0[connection] = mine }
            replies.notifyAll()
            return replies.wait { $0[1 - connection] }
        }
    }

    init(lie: LyingServer.Lie, number: Int, exchange: Exchange) {
        self.lie = lie
        self.number = number
        self.exchange = exchange
    }

    mutating func run(_ socket: borrowing StreamSocket) throws {
        try socket.setReceiveTimeout(.seconds(20))
        switch lie {
        case .silence: break
        case .greeting(let byte): _ = try socket.sendAll([byte].span)
        case .unasked(let bytes): _ = try socket.sendAll(([ServerMachine.greeting] + bytes).span)
        default: _ = try socket.sendAll([ServerMachine.greeting].span)
        }
        var buffer = ReusableBuffer(capacity: 1 << 16)
        while case .bytes = try buffer.fill({ output throws(SystemCallError) in try socket.receive(into: &output) }) {
            let received = buffer.withBytes { bytes in bytes.indices.map { bytes[$0] } }
            for byte in received where try take(byte, socket) { return }
        }
    }

    /// Processes one byte, and sends the reply if the byte closes a message.
    ///
    /// - Returns: whether to close the connection.
    private mutating func take(_ byte: UInt8, _ socket: borrowing StreamSocket) throws -> Bool {
        if isInMessage, byte == ServerMachine.closing {
            isInMessage = false
            replies += 1
            defer { reply = [] }
            guard let bytes = lied() else { return true }
            if case .slow(let pause) = lie {
                let end = ContinuousClock.now.advanced(by: pause)
                while ContinuousClock.now < end { PosixThread.yield() }
            }
            _ = try socket.sendAll(bytes.span)
        } else if isInMessage {
            reply.append(byte &+ 1)
        } else {
            isInMessage = byte == ServerMachine.opening
        }
        return false
    }

    /// Returns the reply with the fault, or `nil` if the server closes the connection instead.
    private func lied() -> [UInt8]? {
        switch lie {
        case .wrongByte(let number) where number == replies:
            var bytes = reply
            bytes[bytes.count / 2] ^= 0x80
            return bytes
        case .missing(let number) where number == replies: return []
        case .surplus(let number, let bytes) where number == replies: return reply + bytes
        case .exchange(let wanted) where wanted == replies && number < 2: return exchange.swap(reply, from: number)
        case .end(let number) where number == replies: return nil
        case .cut(let number, let byteCount) where number == replies: return Array(reply.dropFirst(byteCount))
        default: return reply
        }
    }
}
