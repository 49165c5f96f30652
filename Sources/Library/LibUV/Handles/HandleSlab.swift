internal import CLibUV
internal import Synchronization

// The memory for TCP streams, in slabs of 64 cells. A cell needs no allocator header, so a connection uses only the
// memory of its fields. A cell never moves. Cells are taken on the loop's thread. A cell is returned by the thread that
// releases the last reference to its stream. If that is not the loop's thread, the thread pushes the cell to a
// lock-free list, from which the loop takes all cells at once.

/// A list of the cells that other threads have returned.
final class ReturnedCells: Sendable {
    /// The address of the first cell, or zero if the list is empty.
    ///
    /// The first word of each cell is the address of the next cell.
    private let first = Atomic<UInt>(0)

    func push(_ cell: UnsafeMutableRawPointer) {
        var head = first.load(ordering: .relaxed)
        while true {
            // Only this call uses the cell until the exchange publishes it.
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

/// A set of slabs whose cells have the same size.
@safe
struct HandleSlab: ~Copyable {
    static let cellsPerSlab = 64
    let returned = ReturnedCells()
    private var slabs: [UnsafeMutableRawPointer] = unsafe []
    private var free: UnsafeMutableRawPointer?

    init() { unsafe free = nil }

    deinit { unsafe slabs.forEach { unsafe $0.deallocate() } }

    /// Returns the memory of a free cell, filled with zeros.
    mutating func take(byteCount: Int) -> UnsafeMutableRawPointer {
        if unsafe free == nil { unsafe free = returned.takeAll() }
        if unsafe free == nil { grow(byteCount: byteCount) }
        guard let cell = unsafe free else { preconditionFailure("a new slab has no free cell") }
        unsafe free = unsafe cell.load(as: UnsafeMutableRawPointer?.self)
        unsafe cell.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return unsafe cell
    }

    /// Returns a cell.
    ///
    /// Call this function on the loop's thread.
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
