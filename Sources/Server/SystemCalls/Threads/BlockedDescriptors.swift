internal import Synchronization

/// A list of the sockets on which threads block.
///
/// A signal handler can wake these threads through the list.
///
/// The list is a chain of entries and only grows. Each entry stores at most one descriptor at a time. Waking the
/// threads takes no lock and allocates no memory. The list counts its readers, so that no descriptor is closed while a
/// reader may still use it.
public final class BlockedDescriptors: Sendable {
    /// An entry with the descriptor on which one thread blocks, or -1 if there is no such descriptor.
    public final class Entry: Sendable {
        fileprivate let descriptor = Atomic<Int32>(-1)
        fileprivate let next = AtomicLazyReference<Entry>()
    }

    private let first: Entry
    private let last: Monitor<Entry>
    private let readers = Atomic<Int>(0)

    /// Makes an empty list.
    public init() {
        first = Entry()
        last = Monitor(first)
    }

    /// Adds an entry, which exists for as long as the list exists.
    public func makeEntry() -> Entry {
        last.withLock { last in
            last = last.next.storeIfNil(Entry())
            return last
        }
    }

    /// Stores the descriptor of a socket in an entry, until `clear` removes it.
    public func store(_ descriptor: Int32, in entry: Entry) {
        entry.descriptor.store(descriptor, ordering: .sequentiallyConsistent)
    }

    /// Removes the descriptor from an entry, and waits until no reader uses the descriptor.
    ///
    /// After the call, the descriptor can be closed.
    public func clear(_ entry: Entry) {
        entry.descriptor.store(-1, ordering: .sequentiallyConsistent)
        while readers.load(ordering: .sequentiallyConsistent) > 0 { PosixThread.yield() }
    }

    /// Calls `body` with an entry's descriptor, if the entry has one.
    ///
    /// The descriptor stays open during the call.
    public func withDescriptor(of entry: Entry, _ body: (Int32) -> Void) {
        readers.add(1, ordering: .sequentiallyConsistent)
        let descriptor = entry.descriptor.load(ordering: .sequentiallyConsistent)
        if descriptor >= 0 { body(descriptor) }
        readers.subtract(1, ordering: .sequentiallyConsistent)
    }

    /// Shuts down a side of every socket in the list, which wakes the threads that block on the sockets (`shutdown`).
    ///
    /// Callable from a signal handler.
    public func shutDown(_ side: StreamSocket.Side) {
        var entry: Entry? = first
        while let current = entry {
            withDescriptor(of: current) { descriptor in try? StreamSocket.shutdown(side, on: descriptor) }
            entry = current.next.load()
        }
    }
}
