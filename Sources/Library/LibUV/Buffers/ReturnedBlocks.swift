public import CLibUV

// A buffer may be dropped on any thread. On a thread other than the loop's, its block goes to a lock-free list of the
// pool. The loop's thread takes the blocks from this list when the pool has no free block, when the blocks are counted,
// and when the loop closes. After the loop has closed, the thread that drops a block frees the block and releases the
// block's reference to the loop object.

extension BufferPool {
    static func makeReturned() -> UnsafeMutablePointer<cuv_returned_blocks> {
        let returned = UnsafeMutablePointer<cuv_returned_blocks>.allocate(capacity: 1)
        unsafe cuv_returned_initialize(returned)
        return unsafe returned
    }

    /// Returns a block to its pool from a thread other than the pool's own.
    @usableFromInline
    @inline(never)
    static func giveBackElsewhere(_ block: UnsafeMutablePointer<cuv_write_block>) {
        // The memory of the pool exists as long as the block. Only fields that never change are read here.
        let pool = unsafe block.pointee.pool.assumingMemoryBound(to: BufferPool.self)
        let state = unsafe cuv_returned_push(pool.pointee.returned, block)
        if state == CUV_POOL_OPEN { return }
        let owner = unsafe pool.pointee.owner
        unsafe UnsafeMutableRawPointer(block).deallocate()
        unsafe cuv_returned_add(pool.pointee.returned, -1)
        // This may destroy the loop object, and the pool with it, so it must be the last statement.
        if state == CUV_POOL_CLOSED { unsafe owner.release() }
    }

    /// Makes a block on a thread to which the pool does not belong.
    ///
    /// The caller holds the lock under which `close` is called.
    static func makeElsewhere(
        capacity: Int, pool: UnsafeMutablePointer<BufferPool>
    ) -> UnsafeMutablePointer<cuv_write_block> {
        unsafe cuv_returned_add(pool.pointee.returned, 1)
        // `isClosed` changes only under the same lock.
        if unsafe pool.pointee.isClosed { _ = unsafe pool.pointee.owner.retain() }
        return unsafe allocate(sizeClass: sizeClass(for: capacity), capacity: capacity, pool: pool)
    }

    /// Moves the blocks that other threads have dropped to the lists of the pool.
    mutating func absorbReturned() {
        guard !isClosed else { return }
        made += unsafe cuv_returned_take_balance(returned)
        unsafe giveBack(all: cuv_returned_take(returned))
    }

    /// Returns a free block of a class, if other threads have dropped one.
    mutating func takeReturned(sizeClass index: UInt32) -> UnsafeMutablePointer<cuv_write_block>? {
        absorbReturned()
        guard index < BufferPool.unpooledClass, let block = unsafe classes[Int(index)].first else { return nil }
        unsafe classes[Int(index)].first = block.pointee.next
        classes[Int(index)].pooledCount &-= 1
        unsafe block.pointee.next = nil
        return unsafe block
    }

    /// Frees the blocks that other threads have dropped.
    ///
    /// From then on, a thread that drops a block also frees the block.
    mutating func closeReturned(_ state: Int) {
        unsafe giveBack(all: cuv_returned_close(returned, Int32(state)))
    }

    private mutating func giveBack(all first: UnsafeMutablePointer<cuv_write_block>?) {
        var next = unsafe first
        while let block = unsafe next {
            unsafe next = block.pointee.next
            unsafe giveBack(block)
        }
    }
}

extension UVLoop {
    /// Returns whether a buffer comes from the pool of this loop, which is where a write returns it.
    @inline(__always)
    func owns(_ buffer: borrowing UVBuffer) -> Bool {
        unsafe buffer.block.pointee.pool == UnsafeMutableRawPointer(pool)
    }

    /// Returns the buffer itself if it comes from the pool of this loop; otherwise returns a copy from this pool.
    func own(_ buffer: consuming UVBuffer) -> UVBuffer {
        if owns(buffer) { return buffer }
        return buffer.withBytes { bytes in makeBuffer(copying: bytes) }
    }

    /// Replaces the blocks that come from other pools in a chain with copies from the pool of this loop.
    ///
    /// The chain has no completion yet. The copies are needed because a write counts its blocks in the pool of its own
    /// loop and returns them there.
    func own(_ first: UnsafeMutablePointer<cuv_write_block>) -> UnsafeMutablePointer<cuv_write_block> {
        var first = unsafe first
        var previous: UnsafeMutablePointer<cuv_write_block>?
        var rest: UnsafeMutablePointer<cuv_write_block>? = unsafe first
        while var block = unsafe rest {
            unsafe rest = block.pointee.next
            if unsafe block.pointee.pool != UnsafeMutableRawPointer(pool) {
                unsafe block = copy(of: block)
                if let previous = unsafe previous { unsafe previous.pointee.next = block } else { unsafe first = block }
            }
            unsafe previous = block
        }
        return unsafe first
    }

    /// Replaces a block of another pool with a copy in the same place of the chain, and returns the block to its own
    /// pool.
    @inline(never)
    private func copy(of block: UnsafeMutablePointer<cuv_write_block>) -> UnsafeMutablePointer<cuv_write_block> {
        let (next, role) = unsafe (block.pointee.next, block.pointee.role)
        unsafe block.pointee.next = nil
        unsafe block.pointee.role = .only
        let copy = unsafe own(UVBuffer(block: block)).takeBlock()
        unsafe copy.pointee.next = next
        unsafe copy.pointee.role = role
        return unsafe copy
    }

    /// Makes a buffer on a thread to which the loop does not belong.
    @usableFromInline
    @inline(never)
    func makeBufferElsewhere(capacity: Int) -> UVBuffer {
        // Because of the lock, the pool does not close during this call.
        let block = unsafe remote.withLock { _ in unsafe BufferPool.makeElsewhere(capacity: capacity, pool: pool) }
        return unsafe UVBuffer(block: block)
    }
}
