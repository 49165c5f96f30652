internal import HTTPProtocol
internal import LibUV
internal import SocketAddresses
internal import Synchronization

/// The event loop of the administration server, with its listener and its connections.
///
/// Only the loop's thread may use an `AdminLoop`, except that any thread may use `stopper`.
// @unchecked Sendable: one thread makes the loop and passes it to another thread, which runs it. The two threads never
// use the loop at the same time.
final class AdminLoop: @unchecked Sendable {
    let loop: UVLoop
    let routes: AdminRoutes
    let limits: AdminLimits

    /// The object that stops the loop.
    ///
    /// Any thread and any signal handler may use it.
    let stopper: Stopper

    /// Stops the loop that owns this stopper.
    final class Stopper: Sendable {
        fileprivate let isStopped = Atomic<Bool>(false)
        private let sender: UVAsync.Sender
        fileprivate init(_ sender: UVAsync.Sender) { self.sender = sender }

        func stop() {
            isStopped.store(true, ordering: .releasing)
            sender.send()
        }
    }

    private let listener: UVTCPListener
    private let wakeUp: UVAsync
    private var connections: [ObjectIdentifier: AdminConnection] = [:]
    /// Whether a pending connection waits because the connection limit is reached.
    private var hasPending = false
    private var acceptedCount = 0
    /// The highest number of open connections so far.
    private(set) var peakConnections = 0

    private static let backlog = 128

    /// Makes the loop and its handles.
    init(routes: AdminRoutes, limits: AdminLimits) throws(UVError) {
        loop = try UVLoop(configuration: .init(readBufferSize: 16 * 1024, pooledByteLimit: 256 * 1024))
        listener = try UVTCPListener(on: loop)
        self.routes = routes
        self.limits = limits
        var check: () -> Void = {}
        wakeUp = try UVAsync(on: loop) { _ in check() }
        stopper = Stopper(wakeUp.sender)
        check = { [unowned self] in if stopper.isStopped.load(ordering: .acquiring) { shutDown() } }
    }

    /// Binds the listener to an address and starts to listen.
    ///
    /// - Returns: the bound address.
    func listen(on address: SocketAddress) throws(UVError) -> SocketAddress {
        try listener.bind(to: address)
        try listener.listen(backlog: AdminLoop.backlog) { [unowned self] _, error in
            // If the process has no free descriptor, the listener itself rejects the connection, and reports an error.
            if error == nil { accept() }
        }
        return try listener.localAddress
    }

    /// Closes a loop that has not been run.
    func abandon() { _ = try? loop.close() }

    /// Serves requests until the loop is stopped, and then closes all handles.
    ///
    /// - Returns: the handles that `UVLoop.close` had to close. The list is empty unless the program contains a bug.
    @discardableResult
    func run() -> [UVOpenHandle] {
        do throws(UVError) {
            try loop.run()
            return try loop.close()
        } catch { return (try? loop.close()) ?? [] }
    }
}

extension AdminLoop {
    private func accept() {
        guard connections.count < max(1, limits.maxConnections) else {
            hasPending = true
            return makeRoom()
        }
        hasPending = false
        // Accepting fails if the client has already closed the connection.
        guard let stream = try? listener.accept() else { return }
        let connection = AdminConnection(acceptedCount, on: stream, of: self)
        acceptedCount += 1
        connections[ObjectIdentifier(connection)] = connection
        peakConnections = max(peakConnections, connections.count)
        connection.start()
    }

    /// Removes a closed connection, and accepts a pending connection if there is one.
    func closed(_ connection: AdminConnection) {
        connections[ObjectIdentifier(connection)] = nil
        if hasPending, !listener.isClosing { accept() }
    }

    /// Closes one connection, so that the pending connection can be accepted.
    ///
    /// The function chooses the oldest connection whose response has been sent. If there is no such connection, it
    /// chooses the oldest connection whose client has not sent a complete request, because silent clients could
    /// otherwise keep out all other clients.
    private func makeRoom() {
        if connections.values.contains(where: \.isClosing) { return }
        let finished = connections.values.filter(\.isFinished)
        let candidates = finished.isEmpty ? connections.values.filter(\.isWaiting) : finished
        candidates.min { $0.number < $1.number }?.makeRoom()
    }

    /// Makes room for a pending connection after a response has been sent.
    func finished() { if hasPending { makeRoom() } }

    private func shutDown() {
        guard !listener.isClosing else { return }
        listener.close()
        wakeUp.close()
        for connection in connections.values { connection.stop() }
    }
}
