internal import CLibUV
internal import SocketAddresses

/// The datagrams and errors that have arrived and have not been returned yet, in order of arrival.
@safe
struct ReceivedDatagrams: ~Copyable {
    private typealias Block = UnsafeMutablePointer<cuv_write_block>

    @safe
    private enum Waiting {
        case datagram(Block, sender: SocketAddress, isTruncated: Bool)
        case failure(UVError)
        /// An element that has been removed.
        case taken
    }

    /// The datagrams and errors.
    ///
    /// The elements before `next` have been removed.
    private var waiting: [Waiting] = []
    private var next = 0
    /// The memory that the datagrams and errors use, in bytes.
    ///
    /// Even an empty datagram uses some memory.
    private(set) var byteCount = 0

    private static var failureByteCount: Int { MemoryLayout<Waiting>.stride }

    deinit {
        for case .datagram(let block, _, _) in waiting[next...] { unsafe UVBuffer.drop(block) }
    }

    var isEmpty: Bool { next == waiting.count }

    /// Copies a datagram to a buffer from the pool, and appends it.
    mutating func append(
        _ bytes: Span<UInt8>, sender: SocketAddress, isTruncated: Bool, from pool: UnsafeMutablePointer<BufferPool>
    ) {
        var buffer = unsafe UVBuffer(block: pool.pointee.take(capacity: bytes.count, pool: pool))
        buffer.append(copying: bytes)
        let block = unsafe buffer.takeBlock()
        byteCount += unsafe ReceivedDatagrams.byteCount(of: block)
        unsafe waiting.append(.datagram(block, sender: sender, isTruncated: isTruncated))
    }

    mutating func append(_ failure: UVError) {
        byteCount += ReceivedDatagrams.failureByteCount
        waiting.append(.failure(failure))
    }

    /// Removes and returns the first datagram, or returns `nil` if there is none.
    ///
    /// - Throws: an error that arrived before the next datagram. Each error is thrown once.
    mutating func takeFirst() throws(UVError) -> UVDatagram? {
        guard next < waiting.count else { return nil }
        let first = waiting[next]
        waiting[next] = .taken
        next += 1
        if next == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            next = 0
        } else if next >= 256, next * 2 >= waiting.count {
            waiting.removeFirst(next)
            next = 0
        }
        switch first {
        case .datagram(let block, let sender, let isTruncated):
            byteCount -= unsafe ReceivedDatagrams.byteCount(of: block)
            return unsafe UVDatagram(UVBuffer(block: block), from: sender, isTruncated: isTruncated)
        case .failure(let error):
            byteCount -= ReceivedDatagrams.failureByteCount
            throw error
        case .taken: return nil
        }
    }

    private static func byteCount(of block: Block) -> Int {
        unsafe Int(cuv_block_header_size()) + block.pointee.capacity
    }
}
