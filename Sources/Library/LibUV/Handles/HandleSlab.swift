internal import CLibUV
internal import Synchronization

// Memory for the cells of TCP streams, in slabs of 64: a cell costs no allocator header, and a connection's
// memory is what its fields take. A cell never moves. Cells come from the loop's thread; they go back from
// whatever thread drops the last reference to a stream, through a list that is pushed to and taken as a whole.

/// The head of a list of cells that other threads gave back.
final class ReturnedCells: Sendable {
    /// The address of the first cell, or zero; each cell's first word is the address of the next.
    private let first = Atomic<UInt>(0)

    func push(_ cell: UnsafeMutableRawPointer) {
        var head = first.load(ordering: .relaxed)
        while true {
            // The cell belongs to this call until the exchange publishes it.
            unsafe cell.storeBytes(of: head, as: UInt.self)
            let (exchanged, seen) = first.weakCompareExchange(
                expected: head, desired: UInt(bitPattern: cell), ordering: .acquiringAndReleasing)
            if exchanged { return }
            head = seen
        }
    }

    func takeAll() -> UnsafeMutableRawPointer? {
        let head = first.exchange(0, ordering: .acquiring)
        return unsafe UnsafeMutableRawPointer(bitPattern: head)
    }

    var isEmpty: Bool { first.load(ordering: .relaxed) == 0 }
}

/// Slabs of cells of one size.
@safe
struct HandleSlab: ~Copyable {
    static let cellsPerSlab = 64
    let returned = ReturnedCells()
    private var slabs: [UnsafeMutableRawPointer] = unsafe []
    private var free: UnsafeMutableRawPointer?

    init() { unsafe free = nil }

    deinit { unsafe slabs.forEach { unsafe $0.deallocate() } }

    /// A cell's memory, zeroed.
    mutating func take(byteCount: Int) -> UnsafeMutableRawPointer {
        if unsafe free == nil { unsafe free = returned.takeAll() }
        if unsafe free == nil { grow(byteCount: byteCount) }
        guard let cell = unsafe free else { preconditionFailure("a slab has cells") }
        unsafe free = unsafe cell.load(as: UnsafeMutableRawPointer?.self)
        unsafe cell.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return unsafe cell
    }

    /// Takes a cell back on the loop's thread.
    mutating func giveBack(_ cell: UnsafeMutableRawPointer) {
        unsafe cell.storeBytes(of: free, as: UnsafeMutableRawPointer?.self)
        unsafe free = cell
    }

    private mutating func grow(byteCount: Int) {
        let slab = UnsafeMutableRawPointer.allocate(byteCount: byteCount * Self.cellsPerSlab, alignment: 16)
        unsafe slabs.append(slab)
        for index in (0..<Self.cellsPerSlab).reversed() { unsafe giveBack(slab + index * byteCount) }
    }
}
