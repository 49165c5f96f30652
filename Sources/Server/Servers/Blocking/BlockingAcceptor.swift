internal import SystemCalls

/// Accepts the clients of a blocking server, one after the other.
struct BlockingAcceptor: ~Copyable {
    private let listener: SharedListener
    /// Wakes the accepting thread if the listener is inherited.
    ///
    /// An inherited listener must not be shut down, so a shutdown cannot wake the thread.
    private let wakeUp: WakeUp?
    private let workers: BlockingWorkers
    private let entry: BlockedDescriptors.Entry
    private var acceptor = Acceptor()
    /// Whether the last attempt has found no connection.
    ///
    /// This happens on an inherited listener, which is non-blocking. On any other listener, `accept4` waits for a
    /// connection unless no descriptor is free.
    private var mustPoll = false

    init(_ listener: SharedListener, wakeUp: WakeUp?, _ workers: BlockingWorkers) {
        self.listener = listener
        self.wakeUp = wakeUp
        self.workers = workers
        entry = workers.descriptors.makeEntry()
        if wakeUp == nil { workers.descriptors.store(listener.socket.rawValue, in: entry) }
    }

    deinit { workers.descriptors.clear(entry) }

    /// Waits for the next client for which a slot and a descriptor are free, and acquires the slot.
    ///
    /// The function rejects all other clients.
    ///
    /// - Returns: `nil` once the server is stopped.
    mutating func next() throws(SystemCallError) -> StreamSocket? {
        while workers.stopCount == 0 {
            do throws(SystemCallError) {
                if mustPoll || wakeUp != nil { try listener.socket.waitForConnection(orFor: wakeUp) }
                switch try acceptor.next(from: listener.socket, isNonBlocking: false) {
                case .connection(let client):
                    mustPoll = false
                    if workers.operations.admit() { return client }
                case .wouldBlock: mustPoll = true
                case .rejected(let error): workers.operations.reject(.descriptors, "\(error)")
                case .pause(let duration, let error):
                    workers.operations.log.cannotAccept(error)
                    listener.socket.pause(for: duration, orFor: wakeUp)
                }
            } catch {
                // After `stop` has shut down the listener, `accept` fails, but this is not an error.
                if workers.stopCount == 0 { throw error }
            }
        }
        return nil
    }
}
