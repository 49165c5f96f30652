internal import Synchronization
internal import SystemCalls

/// The descriptors at which threads block, so that `stop` can wake the threads.
///
/// Reading them takes no lock and allocates nothing.
/// A chain of entries that only grows; an entry is used for one descriptor after the other. Readers are counted, and a
/// descriptor is not closed before the readers that may have seen it are done.
final class BlockedDescriptors: Sendable {
    /// The entry of one descriptor, with the operations of the thread that blocks at it.
    final class Entry: Sendable {
        let operations: Operations
        /// The descriptor, or -1.
        fileprivate let descriptor = Atomic<Int32>(-1)
        fileprivate let next = AtomicLazyReference<Entry>()
        /// The connection's number in the log; 0 if the descriptor is not that of a served connection.
        let number = Atomic<UInt32>(0)
        /// Whether a message is open; kept up to date only if a limit asks for it.
        let isInMessage = Atomic<Bool>(false)

        fileprivate init(_ operations: Operations) { self.operations = operations }
    }

    private struct Chain {
        var last: Entry
        var free: [Entry]
    }

    private let first: Entry
    private let chain: Monitor<Chain>
    private let readers = Atomic<Int>(0)

    init(_ operations: Operations) {
        first = Entry(operations)
        chain = Monitor(Chain(last: first, free: [first]))
    }

    /// Keeps a descriptor until `remove`.
    func add(_ descriptor: Int32) -> Entry {
        let entry = chain.withLock { chain in
            if let entry = chain.free.popLast() { return entry }
            chain.last = chain.last.next.storeIfNil(Entry(Operations(sharing: first.operations)))
            return chain.last
        }
        entry.number.store(0, ordering: .relaxed)
        entry.isInMessage.store(false, ordering: .relaxed)
        entry.descriptor.store(descriptor, ordering: .sequentiallyConsistent)
        return entry
    }

    /// Makes a descriptor safe to close: prevents new readers, and waits for the readers that use it.
    func remove(_ entry: Entry) {
        entry.descriptor.store(-1, ordering: .sequentiallyConsistent)
        while readers.load(ordering: .sequentiallyConsistent) > 0 { PosixThread.yield() }
        chain.withLock { $0.free.append(entry) }
    }

    /// Calls `body` with every entry that has a descriptor, which stays open during the call.
    ///
    /// Callable in a signal handler, if `body` is.
    func forEach(_ body: (Entry, Int32) -> Void) {
        readers.add(1, ordering: .sequentiallyConsistent)
        forEachEntry { entry in
            let descriptor = entry.descriptor.load(ordering: .sequentiallyConsistent)
            if descriptor >= 0 { body(entry, descriptor) }
        }
        readers.subtract(1, ordering: .sequentiallyConsistent)
    }

    /// Calls `body` with every entry, whether or not it has a descriptor now.
    func forEachEntry(_ body: (Entry) -> Void) {
        var entry: Entry? = first
        while let current = entry {
            body(current)
            entry = current.next.load()
        }
    }

    /// Shuts down a side of every socket, which wakes the threads that block there (`shutdown`).
    ///
    /// Callable in a signal handler.
    func shutDown(_ side: StreamSocket.Side) {
        forEach { _, descriptor in try? StreamSocket.shutdown(side, on: descriptor) }
    }
}
