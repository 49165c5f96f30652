public import CLibUV

// The memory of a loop's write buffers. The pool has five size classes, each with a last-in, first-out list of limited
// length.
//
// The header of a block contains the block's pool and size class, so returning a block needs no other information. The
// pool belongs to the loop's thread until the loop has closed. A block that is returned after that is freed on the
// returning thread, which then also releases the block's reference to the loop object. The loop object owns the pool's
// memory.

/// A size class of the pool, with its list of free blocks.
@usableFromInline
@safe
struct SizeClass {
    @usableFromInline var first: UnsafeMutablePointer<cuv_write_block>?
    @usableFromInline var pooledCount = 0
    /// The maximum number of free blocks that the list keeps.
    ///
    /// Additional blocks are freed.
    @usableFromInline var keptCount: Int

    init(keptCount: Int) {
        unsafe first = nil
        self.keptCount = keptCount
    }
}

/// The pool of a loop's write buffers.
@usableFromInline
@safe
struct BufferPool: ~Copyable {
    /// The size classes.
    ///
    /// The last one, `unpooledClass`, never has a free block.
    @usableFromInline var classes: InlineArray<6, SizeClass>
    @usableFromInline var made = 0
    @usableFromInline var inFlight = 0
    @usableFromInline var isClosed = false
    /// Whether the loop object was released without a close.
    ///
    /// If so, blocks that are returned later have no reference to the loop object.
    @usableFromInline var isAbandoned = false
    /// The number of bytes in blocks that have been made and not freed.
    private var byteCount = 0
    /// The highest value of `byteCount` since free memory was last returned to the system.
    private var bytePeak = 0
    /// The blocks that other threads have dropped.
    @usableFromInline let returned: UnsafeMutablePointer<cuv_returned_blocks>
    /// The loop object, which is retained once for each block that still exists when the loop closes.
    let owner: Unmanaged<UVLoop>

    /// The class of blocks that are too large for the pool.
    ///
    /// Such blocks are freed when they are returned.
    @usableFromInline static var unpooledClass: UInt32 { 5 }

    /// The number of freed bytes after which the pool returns memory to the system.
    private static var trimmedByteCount: Int { 16 << 20 }

    /// The smallest class whose blocks are so large that they soon leave the processor's cache.
    @usableFromInline static var largeClass: UInt32 { 3 }

    init(owner: Unmanaged<UVLoop>, configuration: UVLoop.Configuration) {
        unsafe self.owner = unsafe owner
        unsafe returned = BufferPool.makeReturned()
        let kept = max(0, configuration.pooledByteLimit)
        // A quarter of the byte limit is for the three small classes, and the rest is for the large classes.
        classes = [
            SizeClass(keptCount: min(1024, kept / 16 / 128)),
            SizeClass(keptCount: min(512, kept / 16 / 1024)),
            SizeClass(keptCount: min(128, kept / 8 / 8192)),
            SizeClass(keptCount: kept / 4 / 65536),
            SizeClass(keptCount: kept / 2 / 131_072),
            SizeClass(keptCount: 0),
        ]
    }

    deinit { unsafe returned.deallocate() }

    var counts: UVBufferCounts {
        var counts = UVBufferCounts()
        counts.made = unsafe made + cuv_returned_balance(returned)
        counts.inFlight = inFlight
        for index in classes.indices { counts.pooled += classes[index].pooledCount }
        return counts
    }

    /// Returns the smallest class with room for `capacity` bytes.
    @inlinable
    @inline(__always)
    static func sizeClass(for capacity: Int) -> UInt32 {
        if capacity <= 128 { return 0 }
        if capacity <= 1024 { return 1 }
        if capacity <= 8192 { return 2 }
        if capacity <= 65536 { return largeClass }
        return capacity <= 131_072 ? 4 : unpooledClass
    }

    /// Returns the capacity, in bytes, of the blocks of a size class.
    static func capacity(of sizeClass: UInt32) -> Int {
        switch sizeClass {
        case 0: 128
        case 1: 1024
        case 2: 8192
        case largeClass: 65536
        default: 131_072
        }
    }

    /// Returns a block with room for `capacity` bytes, from the pool or newly allocated.
    @inlinable
    @inline(__always)
    mutating func take(
        capacity: Int, pool: UnsafeMutablePointer<BufferPool>
    ) -> UnsafeMutablePointer<cuv_write_block> {
        let index = BufferPool.sizeClass(for: capacity)
        // The lists contain only blocks that this pool has made. Nothing else refers to these blocks.
        if let block = unsafe classes[unchecked: Int(index)].first {
            unsafe classes[unchecked: Int(index)].first = block.pointee.next
            unsafe classes[unchecked: Int(index)].pooledCount &-= 1
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
        if isClosed, !isAbandoned { _ = unsafe owner.retain() }
        if let block = unsafe takeReturned(sizeClass: index) { return unsafe block }
        made += 1
        byteCount += index < BufferPool.unpooledClass ? BufferPool.capacity(of: index) : capacity
        bytePeak = max(bytePeak, byteCount)
        return unsafe BufferPool.allocate(sizeClass: index, capacity: capacity, pool: pool)
    }

    /// Returns a new block, which no counter includes yet.
    static func allocate(
        sizeClass index: UInt32, capacity: Int, pool: UnsafeMutablePointer<BufferPool>
    ) -> UnsafeMutablePointer<cuv_write_block> {
        let capacity = index < BufferPool.unpooledClass ? BufferPool.capacity(of: index) : capacity
        let memory = unsafe UnsafeMutableRawPointer.allocate(
            byteCount: Int(cuv_block_header_size()) + capacity,
            alignment: MemoryLayout<cuv_write_block>.alignment)
        // The memory of the header is bound here once. The bytes after it are accessed only as bytes.
        let block = unsafe memory.bindMemory(to: cuv_write_block.self, capacity: 1)
        unsafe cuv_block_initialize(block, pool, capacity, index)
        return unsafe block
    }

    /// Returns a block to the pool.
    @inlinable
    @inline(__always)
    mutating func giveBack(_ block: UnsafeMutablePointer<cuv_write_block>) {
        // The class of a block is a valid index, because it is at most `unpooledClass`. That class has an entry in
        // `classes`, but its list keeps no blocks.
        let index = unsafe Int(block.pointee.size_class)
        if unsafe classes[unchecked: index].pooledCount < classes[unchecked: index].keptCount {
            unsafe block.pointee.start = 0
            unsafe block.pointee.count = 0
            unsafe block.pointee.next = classes[unchecked: index].first
            unsafe classes[unchecked: index].first = block
            unsafe classes[unchecked: index].pooledCount &+= 1
            return
        }
        unsafe free(block)
    }

    @usableFromInline
    @inline(never)
    mutating func free(_ block: UnsafeMutablePointer<cuv_write_block>) {
        made -= 1
        let freedByteCount = unsafe block.pointee.capacity
        unsafe UnsafeMutableRawPointer(block).deallocate()
        noteFreed(freedByteCount)
        // This may destroy the loop object, and this pool with it, so it must be the last statement.
        if isClosed, !isAbandoned { unsafe owner.release() }
    }

    /// Returns memory to the system when most of the blocks have been freed.
    ///
    /// The C library keeps freed blocks for later allocations, often forever, because other allocations lie between
    /// them. Without `cuv_trim_memory`, the memory that stalled connections once needed would never return to the
    /// system. The pool calls this function only after the memory in use has halved, so a steady load never causes the
    /// call.
    private mutating func noteFreed(_ freedByteCount: Int) {
        // Blocks that other threads have made are not included in `byteCount`, so the difference could be negative.
        byteCount = max(0, byteCount - freedByteCount)
        guard bytePeak - byteCount >= BufferPool.trimmedByteCount, byteCount <= bytePeak / 2 else { return }
        bytePeak = byteCount
        cuv_trim_memory()
    }

    /// Frees the pooled blocks when the loop closes.
    ///
    /// Blocks that still exist keep the loop object alive, and therefore this pool.
    mutating func close() {
        guard !isClosed else { return }
        absorbReturned()
        freePooled()
        isClosed = true
        for _ in 0..<made { _ = unsafe owner.retain() }
        // From now on, another thread that drops a block frees the block and releases one of these references.
        closeReturned(CUV_POOL_CLOSED)
    }

    /// Frees the pooled blocks when the loop object is released without a close.
    ///
    /// - Returns: whether no buffer exists any more. If one still exists, the memory of the pool must not be freed.
    mutating func abandon() -> Bool {
        if !isClosed {
            absorbReturned()
            freePooled()
        }
        isClosed = true
        isAbandoned = true
        closeReturned(CUV_POOL_ABANDONED)
        made += unsafe cuv_returned_take_balance(returned)
        return made == 0
    }

    /// Frees the pooled blocks, and keeps no returned blocks from then on.
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
