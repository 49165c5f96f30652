import IncrementProtocol
import Logging
import ProxyProtocol
import Servers
import SocketAddresses
import SystemCalls
import Testing

/// A model under test, whose name appears in the results of the tests.
struct Model: Sendable, CustomTestStringConvertible {
    let model: ServerModel
    /// Changes the results of the model's system calls.
    var variant: RingVariant?
    var testDescription: String { model.name + (variant.map { " (\($0.name))" } ?? "") }
    var servesSimultaneously: Bool { model.capacity != .one }

    static let all =
        ServerModels.available.map { Model(model: $0) }
        + (ServerModel.ioUring.isAvailable() ? RingVariant.all : []).map { Model(model: .ioUring, variant: $0) }
    static let simultaneous = all.filter(\.servesSimultaneously)
    static let oneAtATime = all.filter { !$0.servesSimultaneously }
    static let bounded = all.filter { if case .descriptors = $0.model.capacity { true } else { false } }
    /// The models that accept all clients in the backlog before closing the listener.
    ///
    /// None of their threads blocks in `accept`.
    static let queueing = simultaneous.filter { $0.model.family != .blocking }
    static let pooled = all.filter { $0.model.capacity == .poolThreads }

    static func named(_ name: String) throws -> Model { Model(model: try #require(ServerModels.named(name))) }

    func makeServer(_ configuration: ServerConfiguration, logger: Logger = .init(label: "test")) -> any Server {
        if let variant { return variant.makeServer(configuration, logger) }
        return model.makeServer(configuration: configuration, logger: logger)
    }
}

/// A server that runs on its own thread.
final class RunningServer: Sendable {
    let server: any Server
    let address: SocketAddress
    private let thread = Monitor<Join?>(nil)
    private let outcome: Outcome

    private final class Outcome: Sendable { let value = Monitor<Result<ServerMetrics, ServerError>?>(nil) }
    private final class Join: Sendable {
        private let thread: Monitor<PosixThread?>
        init(_ thread: consuming PosixThread) { self.thread = Monitor(thread) }
        func join() { thread.withLock { thread in thread.take()?.join() } }
    }

    init(
        _ model: Model, maxConnections: Int? = nil, maxBufferedBytes: Int = 256 * 1024,
        drainTimeout: Duration = .seconds(5), poolThreads: Int = 32, poolQueueLimit: Int = 1024, loops: Int? = nil,
        maxBufferedTotal: Int? = nil, limits: ConnectionLimits = ConnectionLimits(), measures: Bool = false,
        trustedProxies: [CIDRBlock] = [], logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) throws {
        var configuration = ServerConfiguration(address: .loopback(port: 0))
        configuration.maxConnections = maxConnections
        configuration.maxBufferedBytes = maxBufferedBytes
        configuration.maxBufferedTotal = maxBufferedTotal
        configuration.drainTimeout = drainTimeout
        configuration.poolThreads = poolThreads
        configuration.poolQueueLimit = poolQueueLimit
        configuration.loops = loops
        configuration.limits = limits
        configuration.measures = measures
        configuration.trustedProxies = trustedProxies
        let server = model.makeServer(configuration, logger: logger)
        let outcome = Outcome()
        self.server = server
        self.outcome = outcome
        address = try server.start()
        let join = Join(
            try PosixThread {
                let result: Result<ServerMetrics, ServerError>
                do throws(ServerError) { result = .success(try server.run()) } catch { result = .failure(error) }
                outcome.value.withLock { $0 = result }
            })
        thread.withLock { $0 = join }
    }

    /// Stops the server, waits until it has ended, and returns its metrics.
    @discardableResult
    func stop() throws -> ServerMetrics {
        server.stop()
        return try wait()
    }

    /// Waits until the server has ended, and returns its metrics.
    func wait() throws -> ServerMetrics {
        thread.withLock { $0.take() }?.join()
        return try #require(outcome.value.withLock { $0 }).get()
    }

    func connect() throws -> TestClient { try TestClient(address) }
}

/// Copies the bytes of a span into an array, without a loop over the bytes.
func copy(_ span: Span<UInt8>) -> [UInt8] { unsafe span.withUnsafeBufferPointer { unsafe Array($0) } }

/// A blocking client whose waits all have a timeout.
struct TestClient: ~Copyable {
    let socket: StreamSocket

    init(_ address: SocketAddress) throws {
        let socket = try StreamSocket.connect(to: address, timeout: .seconds(20))
        try socket.setReceiveTimeout(.seconds(20))
        try socket.setSendTimeout(.seconds(20))
        self.socket = socket
    }

    init(adopting descriptor: Int32) { socket = StreamSocket(adopting: descriptor) }

    /// Releases the connection and returns its descriptor, which an array can hold.
    consuming func release() -> Int32 { socket.release() }

    /// Closes the connection with a reset.
    consuming func reset() throws { try StreamSocket(adopting: release()).closeReset() }

    /// Connects a client and reads its greeting.
    static func greeted(by server: RunningServer) throws -> TestClient {
        let client = try TestClient(server.address)
        #expect(
            try client.receive(1) == [ServerMachine.greeting],
            "rejected connections: \(server.server.metrics.rejectedConnections)")
        return client
    }

    func send(_ bytes: [UInt8]) throws { #expect(try socket.sendAll(bytes.span) == bytes.count) }
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Receives `count` bytes, or fewer if the server shuts down its write side first.
    func receive(_ count: Int) throws -> [UInt8] {
        var received: [UInt8] = []
        var buffer = ReusableBuffer(capacity: min(max(count, 1), 1 << 18))
        while received.count < count {
            let limit = count - received.count
            let result = try buffer.fill(limit: limit) { output throws(SystemCallError) in
                try socket.receive(into: &output)
            }
            if result == .end { break }
            if result == .wouldBlock { throw SystemCallError(code: 110, call: "receive in time") }
            received += buffer.withBytes { copy($0) }
        }
        return received
    }

    /// Receives until the server shuts down its write side.
    func receiveToEnd() throws -> [UInt8] { try receive(.max) }

    /// Sends a message, and checks the reply.
    func exchange(_ payload: String) throws {
        try send("^\(payload)$")
        let expected = payload.utf8.map { $0 &+ 1 }
        #expect(try receive(expected.count) == expected)
    }
}
