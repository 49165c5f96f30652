internal import Synchronization

/// The sockets at which threads block, so that a signal handler can wake the threads.
///
/// A chain of entries that only grows; each entry holds one descriptor after the other. Waking takes no lock and
/// allocates nothing. Readers are counted, and a descriptor is not closed before the readers that may have seen it are
/// done.
public final class BlockedDescriptors: Sendable {
    /// The descriptor at which one thread blocks, or -1.
    public final class Entry: Sendable {
        fileprivate let descriptor = Atomic<Int32>(-1)
        fileprivate let next = AtomicLazyReference<Entry>()
    }

    private let first: Entry
    private let last: Monitor<Entry>
    private let readers = Atomic<Int>(0)

    /// Makes a chain without descriptors.
    public init() {
        first = Entry()
        last = Monitor(first)
    }

    /// Makes an entry, which lives as long as the chain.
    public func makeEntry() -> Entry {
        last.withLock { last in
            last = last.next.storeIfNil(Entry())
            return last
        }
    }

    /// Stores the descriptor of a socket in an entry until `clear`.
    public func store(_ descriptor: Int32, in entry: Entry) {
        entry.descriptor.store(descriptor, ordering: .sequentiallyConsistent)
    }

    /// Makes a descriptor safe to close: prevents new readers, and waits for the readers that use it.
    public func clear(_ entry: Entry) {
        entry.descriptor.store(-1, ordering: .sequentiallyConsistent)
        while readers.load(ordering: .sequentiallyConsistent) > 0 { PosixThread.yield() }
    }

    /// Calls `body` with an entry's descriptor, if it has one; the descriptor stays open during the call.
    public func withDescriptor(of entry: Entry, _ body: (Int32) -> Void) {
        readers.add(1, ordering: .sequentiallyConsistent)
        let descriptor = entry.descriptor.load(ordering: .sequentiallyConsistent)
        if descriptor >= 0 { body(descriptor) }
        readers.subtract(1, ordering: .sequentiallyConsistent)
    }

    /// Shuts down a side of every socket, which wakes the threads that block there (`shutdown`).
    ///
    /// Callable in a signal handler.
    public func shutDown(_ side: StreamSocket.Side) {
        var entry: Entry? = first
        while let current = entry {
            withDescriptor(of: current) { descriptor in try? StreamSocket.shutdown(side, on: descriptor) }
            entry = current.next.load()
        }
    }
}
