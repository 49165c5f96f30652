internal import CLibUV
internal import Synchronization

/// The received bytes that have not been read yet, in buffers from the loop's pool.
@safe
struct ReceivedBytes: ~Copyable {
    private var first: UnsafeMutablePointer<cuv_write_block>?
    private var last: UnsafeMutablePointer<cuv_write_block>?
    private let counter = Atomic<Int>(0)
    /// The number of bytes.
    ///
    /// Other threads may read this property.
    private(set) var byteCount: Int {
        get { counter.load(ordering: .relaxed) }
        set { counter.store(newValue, ordering: .relaxed) }
    }

    init() {
        unsafe first = nil
        unsafe last = nil
    }

    deinit {
        var block = unsafe first
        while let current = unsafe block {
            unsafe block = current.pointee.next
            unsafe UVBuffer.drop(current)
        }
    }

    /// Drops all bytes.
    mutating func removeAll() { while let buffer = takeFirst() { _ = consume buffer } }

    var isEmpty: Bool { byteCount == 0 }

    /// Appends bytes.
    ///
    /// The last buffer receives the bytes for which it has room, and a new buffer receives the rest.
    ///
    /// Therefore bytes that arrive one by one share buffers, and the memory depends only on the number of bytes.
    mutating func append(_ bytes: Span<UInt8>, from pool: UnsafeMutablePointer<BufferPool>) {
        byteCount &+= bytes.count
        if unsafe last != nil { return unsafe append(behindLast: bytes, from: pool) }
        let block = unsafe ReceivedBytes.block(with: bytes, 0..<bytes.count, from: pool)
        unsafe first = block
        unsafe last = block
    }

    private mutating func append(behindLast bytes: Span<UInt8>, from pool: UnsafeMutablePointer<BufferPool>) {
        let fitting = unsafe last.map {
            unsafe min($0.pointee.capacity - $0.pointee.start - $0.pointee.count, bytes.count)
        }
        if let last = unsafe last, let fitting, fitting > 0 { unsafe ReceivedBytes.copy(bytes, 0..<fitting, to: last) }
        let rest = (fitting ?? 0)..<bytes.count
        if rest.isEmpty { return }
        let block = unsafe ReceivedBytes.block(with: bytes, rest, from: pool)
        if let last = unsafe last { unsafe last.pointee.next = block } else { unsafe first = block }
        unsafe last = block
    }

    /// Removes the first buffer, and transfers ownership of it to the caller.
    mutating func takeFirst() -> UVBuffer? {
        guard let block = unsafe first else { return nil }
        unsafe first = block.pointee.next
        if unsafe first == nil { unsafe last = nil }
        unsafe block.pointee.next = nil
        byteCount &-= unsafe block.pointee.count
        return unsafe UVBuffer(block: block)
    }

    /// Moves bytes from the first buffer to the caller's buffer, as many as fit.
    ///
    /// - Returns: the number of bytes that were moved.
    mutating func move(to buffer: inout UVBuffer) -> Int {
        guard var block = takeFirst() else { return 0 }
        let moved = block.withBytes { buffer.appendFitting($0) }
        block.removeFirst(moved)
        if !block.isEmpty { putBack(block) }
        return moved
    }

    private mutating func putBack(_ buffer: consuming UVBuffer) {
        let block = unsafe buffer.takeBlock()
        byteCount += unsafe block.pointee.count
        unsafe block.pointee.next = first
        unsafe first = block
        if unsafe last == nil { unsafe last = block }
    }

    @inline(__always)
    private static func block(
        with bytes: Span<UInt8>, _ range: Range<Int>, from pool: UnsafeMutablePointer<BufferPool>
    ) -> UnsafeMutablePointer<cuv_write_block> {
        let block = unsafe pool.pointee.take(capacity: range.count, pool: pool)
        unsafe copy(bytes, range, to: block)
        return unsafe block
    }

    @inline(__always)
    private static func copy(
        _ bytes: Span<UInt8>, _ range: Range<Int>, to block: UnsafeMutablePointer<cuv_write_block>
    ) {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            // The caller has checked that `bytes` contains the range, and that the block has room for it.
            guard let source = bytes.baseAddress else { return }
            unsafe (cuv_block_bytes(block) + block.pointee.start + block.pointee.count).update(
                from: source + range.lowerBound, count: range.count)
        }
        unsafe block.pointee.count += range.count
    }
}
