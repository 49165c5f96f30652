internal import HTTPProtocol
internal import LibUV
internal import SocketAddresses
internal import Synchronization

/// The loop of the administration: its listener, its conversations, and its end.
///
/// Everything but its stopper belongs to the loop's thread.
// @unchecked Sendable: handed from the thread that makes it to the one that runs it, and used by one at a time.
final class AdminService: @unchecked Sendable {
    let loop: UVLoop
    let answers: AdminAnswers
    let limits: AdminLimits

    /// Tells the loop to stop; for any thread, and signal handlers.
    let stopper: Stopper

    /// Tells a loop to stop.
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
    private var conversations: [ObjectIdentifier: AdminConversation] = [:]
    /// Whether a connection waits at the listener until another one has gone.
    private var hasWaiting = false
    /// The most connections that were served at once.
    private(set) var peakConnections = 0

    /// How many connections wait in the kernel.
    private static let backlog = 128

    /// Makes the loop and its handles.
    init(answers: AdminAnswers, limits: AdminLimits) throws(UVError) {
        loop = try UVLoop(configuration: .init(readBufferSize: 16 * 1024, pooledByteLimit: 256 * 1024))
        listener = try UVTCPListener(on: loop)
        self.answers = answers
        self.limits = limits
        var look: () -> Void = {}
        wakeUp = try UVAsync(on: loop) { _ in look() }
        stopper = Stopper(wakeUp.sender)
        look = { [unowned self] in if stopper.isStopped.load(ordering: .acquiring) { end() } }
    }

    /// Binds and listens.
    func start(at address: SocketAddress) throws(UVError) -> SocketAddress {
        try listener.bind(to: address)
        try listener.listen(backlog: AdminService.backlog) { [unowned self] _, error in
            // The listener itself turns away whom there is no descriptor for.
            if error == nil { accept() }
        }
        return try listener.localAddress
    }

    /// Closes a loop that is not going to run.
    func abandon() { _ = try? loop.close() }

    /// Serves until stopped; all is closed when it returns.
    ///
    /// - Returns: the handles that nobody had closed: none.
    @discardableResult
    func run() -> [UVOpenHandle] {
        do throws(UVError) {
            try loop.run()
            return try loop.close()
        } catch { return (try? loop.close()) ?? [] }
    }
}

extension AdminService {
    private func accept() {
        guard conversations.count < max(1, limits.maxConnections) else { return hasWaiting = true }
        hasWaiting = false
        do throws(UVError) {
            let stream = try listener.accept()
            let conversation = AdminConversation(on: stream, of: self)
            conversations[ObjectIdentifier(conversation)] = conversation
            peakConnections = max(peakConnections, conversations.count)
            conversation.begin()
        } catch {}  // The client has gone already.
    }

    /// A conversation is over: whoever waits for its place has it.
    func ended(_ conversation: AdminConversation) {
        conversations[ObjectIdentifier(conversation)] = nil
        if hasWaiting, !listener.isClosing { accept() }
    }

    private func end() {
        guard !listener.isClosing else { return }
        listener.close()
        wakeUp.close()
        for conversation in conversations.values { conversation.stop() }
    }
}
