public import CLibUV

// The memory of a loop's write buffers: five size classes, each a last-in-first-out list with a bound.
//
// A block's header names its pool and class, so that giving it back needs nothing but the block. The pool
// belongs to the loop's thread until the loop has closed; a block given back after that is freed, by whoever
// held it last, and lets go of the loop object that owns the pool's memory.

/// One size class: a list of free blocks.
@usableFromInline
@safe
struct SizeClass {
    @usableFromInline var first: UnsafeMutablePointer<cuv_write_block>?
    @usableFromInline var pooledCount = 0
    /// The bytes that a block of this class has room for.
    @usableFromInline let capacity: Int
    /// How many free blocks are kept; beyond it they are freed.
    @usableFromInline var keptCount: Int

    init(capacity: Int, keptCount: Int) {
        unsafe first = nil
        self.capacity = capacity
        self.keptCount = keptCount
    }
}

/// The pool of a loop's write buffers.
@usableFromInline
@safe
struct BufferPool: ~Copyable {
    @usableFromInline var classes: InlineArray<5, SizeClass>
    @usableFromInline var made = 0
    @usableFromInline var inFlight = 0
    @usableFromInline var isClosed = false
    /// Whether the loop object has gone without a close, so that nothing is retained for a late block.
    @usableFromInline var isAbandoned = false
    /// Retained once for each block that outlives the close of the loop.
    let owner: Unmanaged<UVLoop>

    /// The class of a block that is too large for the pool, and is freed when given back.
    @usableFromInline static var unpooledClass: UInt32 { 5 }

    /// The first class of blocks that are large enough to leave the processor's cache soon.
    @usableFromInline static var largeClass: UInt32 { 3 }

    init(owner: Unmanaged<UVLoop>, configuration: UVLoop.Configuration) {
        unsafe self.owner = unsafe owner
        let kept = max(0, configuration.pooledByteLimit)
        // A quarter of what may be kept for the three small classes, the rest for the large ones.
        classes = [
            SizeClass(capacity: 128, keptCount: min(1024, kept / 16 / 128)),
            SizeClass(capacity: 1024, keptCount: min(512, kept / 16 / 1024)),
            SizeClass(capacity: 8192, keptCount: min(128, kept / 8 / 8192)),
            SizeClass(capacity: 65536, keptCount: kept / 4 / 65536),
            SizeClass(capacity: 131_072, keptCount: kept / 2 / 131_072),
        ]
    }

    var ledger: UVBufferLedger {
        var ledger = UVBufferLedger()
        ledger.made = made
        ledger.inFlight = inFlight
        for index in classes.indices { ledger.pooled += classes[index].pooledCount }
        return ledger
    }

    /// The smallest class with room for `capacity` bytes.
    @inlinable
    @inline(__always)
    static func sizeClass(for capacity: Int) -> UInt32 {
        if capacity <= 128 { return 0 }
        if capacity <= 1024 { return 1 }
        if capacity <= 8192 { return 2 }
        if capacity <= 65536 { return largeClass }
        return capacity <= 131_072 ? 4 : unpooledClass
    }

    /// A block with room for `capacity` bytes, from the pool if it has one.
    @inlinable
    @inline(__always)
    mutating func take(
        capacity: Int, pool: UnsafeMutablePointer<BufferPool>
    ) -> UnsafeMutablePointer<cuv_write_block> {
        let index = BufferPool.sizeClass(for: capacity)
        // The lists hold blocks that this pool made and nobody else refers to.
        if index < BufferPool.unpooledClass, let block = unsafe classes[Int(index)].first {
            unsafe classes[Int(index)].first = block.pointee.next
            classes[Int(index)].pooledCount &-= 1
            unsafe block.pointee.next = nil
            return unsafe block
        }
        return unsafe make(sizeClass: index, capacity: capacity, pool: pool)
    }

    @usableFromInline
    @inline(never)
    mutating func make(
        sizeClass index: UInt32, capacity: Int, pool: UnsafeMutablePointer<BufferPool>
    ) -> UnsafeMutablePointer<cuv_write_block> {
        let capacity = index < BufferPool.unpooledClass ? classes[Int(index)].capacity : capacity
        let memory = unsafe UnsafeMutableRawPointer.allocate(
            byteCount: Int(cuv_block_header_size()) + capacity,
            alignment: MemoryLayout<cuv_write_block>.alignment)
        // The header is bound once; the bytes behind it are only ever seen as bytes.
        let block = unsafe memory.bindMemory(to: cuv_write_block.self, capacity: 1)
        unsafe cuv_block_initialize(block, pool, capacity, index)
        made += 1
        return unsafe block
    }

    /// Takes a block back.
    @inlinable
    @inline(__always)
    mutating func giveBack(_ block: UnsafeMutablePointer<cuv_write_block>) {
        let index = unsafe block.pointee.size_class
        if index < BufferPool.unpooledClass, classes[Int(index)].pooledCount < classes[Int(index)].keptCount {
            unsafe block.pointee.start = 0
            unsafe block.pointee.count = 0
            unsafe block.pointee.next = classes[Int(index)].first
            unsafe classes[Int(index)].first = block
            classes[Int(index)].pooledCount &+= 1
            return
        }
        unsafe free(block)
    }

    @usableFromInline
    @inline(never)
    mutating func free(_ block: UnsafeMutablePointer<cuv_write_block>) {
        made -= 1
        unsafe UnsafeMutableRawPointer(block).deallocate()
        // May end the life of the loop object, and with it of this pool: nothing comes after it.
        if isClosed, !isAbandoned { unsafe owner.release() }
    }

    /// Frees what is pooled.
    ///
    /// Blocks that are still held keep the loop object, and so this pool, alive.
    mutating func close() {
        guard !isClosed else { return }
        freePooled()
        isClosed = true
        for _ in 0..<made { _ = unsafe owner.retain() }
    }

    /// Frees what is pooled, for a loop object that goes away without having been closed.
    ///
    /// - Returns: whether no buffer is held. Where one is, the pool's own memory must stay.
    mutating func abandon() -> Bool {
        if !isClosed { freePooled() }
        isClosed = true
        isAbandoned = true
        return made == 0
    }

    /// Frees what is pooled, and keeps nothing any more.
    private mutating func freePooled() {
        for index in classes.indices {
            classes[index].keptCount = 0
            while let block = unsafe classes[index].first {
                unsafe classes[index].first = block.pointee.next
                classes[index].pooledCount -= 1
                unsafe free(block)
            }
        }
    }
}
