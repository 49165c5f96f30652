internal import HTTPProtocol
internal import LibUV
internal import SocketAddresses
internal import Synchronization

/// The administration's loop, with its listener and its connections.
///
/// Only the loop's thread uses it, except for `stopper`.
// @unchecked Sendable: one thread makes it and hands it to the one that runs it.
final class AdminLoop: @unchecked Sendable {
    let loop: UVLoop
    let routes: AdminRoutes
    let limits: AdminLimits

    /// Stops the loop from any thread or signal handler.
    let stopper: Stopper

    /// Stops a loop.
    final class Stopper: Sendable {
        fileprivate let isStopped = Atomic<Bool>(false)
        private let gate: UVAsync.Gate
        fileprivate init(_ gate: UVAsync.Gate) { self.gate = gate }

        func stop() {
            isStopped.store(true, ordering: .releasing)
            gate.send()
        }
    }

    private let listener: UVTCPListener
    private let wakeUp: UVAsync
    private var connections: [ObjectIdentifier: AdminConnection] = [:]
    /// Whether a pending connection waits because the limit is reached.
    private var hasPending = false
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

    /// Binds and listens.
    func listen(on address: SocketAddress) throws(UVError) -> SocketAddress {
        try listener.bind(to: address)
        try listener.listen(backlog: AdminLoop.backlog) { [unowned self] _, error in
            // The listener itself rejects connections for which the process has no descriptor.
            if error == nil { accept() }
        }
        return try listener.localAddress
    }

    /// Closes a loop that will not run.
    func abandon() { _ = try? loop.close() }

    /// Serves until stopped, then closes all handles.
    ///
    /// - Returns: the handles that were still open, which is a fault.
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
        guard connections.count < max(1, limits.maxConnections) else { return hasPending = true }
        hasPending = false
        // Accepting fails if the client has closed the connection.
        guard let stream = try? listener.accept() else { return }
        let connection = AdminConnection(on: stream, of: self)
        connections[ObjectIdentifier(connection)] = connection
        peakConnections = max(peakConnections, connections.count)
        connection.start()
    }

    /// Removes a closed connection and accepts a pending one.
    func closed(_ connection: AdminConnection) {
        connections[ObjectIdentifier(connection)] = nil
        if hasPending, !listener.isClosing { accept() }
    }

    private func shutDown() {
        guard !listener.isClosing else { return }
        listener.close()
        wakeUp.close()
        for connection in connections.values { connection.stop() }
    }
}
