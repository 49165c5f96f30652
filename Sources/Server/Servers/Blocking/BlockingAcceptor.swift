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
    private var reserve = ReserveDescriptor()
    /// Whether the last `accept` found no free descriptor.
    ///
    /// The kernel reserves a descriptor before it waits for a client, so the error does not show whether a client has
    /// connected.
    private var lacksDescriptor = false

    init(_ listener: SharedListener, wakeUp: WakeUp?, _ workers: BlockingWorkers) {
        self.listener = listener
        self.wakeUp = wakeUp
        self.workers = workers
        entry = workers.descriptors.makeEntry()
        if wakeUp == nil { workers.descriptors.store(listener.socket.rawValue, in: entry) }
    }

    deinit { workers.descriptors.clear(entry) }

    /// Waits for the next client and acquires its slot; rejects clients beyond the limits.
    ///
    /// - Returns: `nil` once the server is stopped.
    mutating func next() throws(SystemCallError) -> StreamSocket? {
        while workers.stopCount == 0 {
            do throws(SystemCallError) {
                if wakeUp != nil || lacksDescriptor { try listener.socket.waitForConnection(orFor: wakeUp) }
                switch try listener.socket.accept(isNonBlocking: false) {
                case .connection(let client):
                    lacksDescriptor = false
                    if workers.operations.admit() { return client }
                case .wouldBlock: continue
                case .noDescriptor(let error):
                    if lacksDescriptor, reserve.rejectConnection(from: listener.socket) {
                        workers.operations.reject(.descriptors, "\(error)")
                    }
                    lacksDescriptor = true
                }
            } catch {
                // `accept` fails after `stop` has shut down the listener.
                if workers.stopCount == 0 { throw error }
            }
        }
        return nil
    }
}
