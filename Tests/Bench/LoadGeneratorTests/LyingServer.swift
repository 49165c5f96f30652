import IncrementProtocol
import SocketAddresses
import SystemCalls

/// A server that serves some connections at once, and lies in one way.
final class LyingServer: Sendable {
    enum Lie: Sendable {
        /// It does not greet.
        case silence
        /// It greets with another byte.
        case greeting(UInt8)
        /// One byte of the n-th answer is wrong.
        case wrongByte(answer: Int)
        /// The n-th answer does not come.
        case missing(answer: Int)
        /// Bytes come behind the n-th answer.
        case surplus(answer: Int, [UInt8])
        /// The n-th answers of the first two connections are exchanged.
        case exchange(answer: Int)
        /// The connection ends before the n-th answer.
        case end(answer: Int)
        /// Bytes come without any request.
        case unasked([UInt8])
        /// Every answer comes after a pause.
        case slow(Duration)
        /// The first bytes of the n-th answer do not come.
        case cut(answer: Int, byteCount: Int)
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

/// One connection of a server that lies.
struct LyingConversation: Sendable {
    let lie: LyingServer.Lie
    let number: Int
    let exchange: Exchange
    private var isInMessage = false
    private var answers = 0
    private var answer: [UInt8] = []

    /// Where two connections meet to exchange an answer.
    final class Exchange: Sendable {
        private let answers = Monitor<[Int: [UInt8]]>([:])

        func swap(_ mine: [UInt8], from connection: Int) -> [UInt8] {
            answers.withLock { $0[connection] = mine }
            answers.notifyAll()
            return answers.wait { $0[1 - connection] }
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

    /// Takes one byte, and answers where it closes a message.
    ///
    /// - Returns: whether the connection is to end.
    private mutating func take(_ byte: UInt8, _ socket: borrowing StreamSocket) throws -> Bool {
        if isInMessage, byte == ServerMachine.closing {
            isInMessage = false
            answers += 1
            defer { answer = [] }
            guard let bytes = lied() else { return true }
            if case .slow(let pause) = lie {
                let end = ContinuousClock.now.advanced(by: pause)
                while ContinuousClock.now < end { PosixThread.yield() }
            }
            _ = try socket.sendAll(bytes.span)
        } else if isInMessage {
            answer.append(byte &+ 1)
        } else {
            isInMessage = byte == ServerMachine.opening
        }
        return false
    }

    /// The answer, as the lie has it; `nil` where the connection ends instead.
    private func lied() -> [UInt8]? {
        switch lie {
        case .wrongByte(let number) where number == answers:
            var bytes = answer
            bytes[bytes.count / 2] ^= 0x80
            return bytes
        case .missing(let number) where number == answers: return []
        case .surplus(let number, let bytes) where number == answers: return answer + bytes
        case .exchange(let wanted) where wanted == answers && number < 2: return exchange.swap(answer, from: number)
        case .end(let number) where number == answers: return nil
        case .cut(let number, let byteCount) where number == answers: return Array(answer.dropFirst(byteCount))
        default: return answer
        }
    }
}
