internal import Synchronization
internal import SystemCalls

/// The descriptors at which threads block, so that `stop` can wake them: reading takes no lock and allocates nothing.
///
/// A chain of places that only grows, each used for one descriptor after the other. Whoever reads is counted, and
/// a descriptor is not closed before those are done that may have seen it.
final class BlockedDescriptors: Sendable {
    /// Where one descriptor is kept.
    final class Place: Sendable {
        /// The descriptor, or -1.
        fileprivate let descriptor = Atomic<Int32>(-1)
        fileprivate let next = AtomicLazyReference<Place>()
        /// What the connection is called in the log; 0 for what is no client that is served.
        let number = Atomic<UInt32>(0)
        /// Whether a message is open, where that is of interest.
        let isInMessage = Atomic<Bool>(false)
    }

    private struct Chain {
        var last: Place
        var free: [Place]
    }

    private let first: Place
    private let chain: Monitor<Chain>
    private let readers = Atomic<Int>(0)

    init() {
        first = Place()
        chain = Monitor(Chain(last: first, free: [first]))
    }

    /// Keeps a descriptor until `withdraw`.
    func add(_ descriptor: Int32) -> Place {
        let place = chain.withLock { chain in
            if let place = chain.free.popLast() { return place }
            chain.last = chain.last.next.storeIfNil(Place())
            return chain.last
        }
        place.number.store(0, ordering: .relaxed)
        place.isInMessage.store(false, ordering: .relaxed)
        place.descriptor.store(descriptor, ordering: .sequentiallyConsistent)
        return place
    }

    /// Makes a descriptor safe to close: nobody else begins to use it, and those that have are waited for.
    func withdraw(_ place: Place) {
        place.descriptor.store(-1, ordering: .sequentiallyConsistent)
        while readers.load(ordering: .sequentiallyConsistent) > 0 { PosixThread.yield() }
        chain.withLock { $0.free.append(place) }
    }

    /// Calls `body` with every place that has a descriptor; the descriptor is not closed meanwhile.
    ///
    /// May be called in a signal handler, where `body` may.
    func visit(_ body: (Place, Int32) -> Void) {
        readers.add(1, ordering: .sequentiallyConsistent)
        var place: Place? = first
        while let current = place {
            let descriptor = current.descriptor.load(ordering: .sequentiallyConsistent)
            if descriptor >= 0 { body(current, descriptor) }
            place = current.next.load()
        }
        readers.subtract(1, ordering: .sequentiallyConsistent)
    }

    /// Ends a side of every socket, which wakes the threads that block there (`shutdown`).
    ///
    /// May be called in a signal handler.
    func shutDown(_ side: StreamSocket.Side) {
        visit { _, descriptor in try? StreamSocket.shutdown(side, on: descriptor) }
    }
}
