internal import CLibUV
internal import SocketAddresses

/// Datagrams that have come and are not taken yet, and the failures between them, in the order of their coming.
@safe
struct ReceivedDatagrams: ~Copyable {
    private typealias Block = UnsafeMutablePointer<cuv_write_block>

    @safe
    private enum Waiting {
        case datagram(Block, sender: SocketAddress, isTruncated: Bool)
        case failure(UVError)
        /// The place of one that has been taken.
        case taken
    }

    /// Those before `next` have been taken.
    private var waiting: [Waiting] = []
    private var next = 0
    /// How much memory they take, of which one without a byte takes some too.
    private(set) var byteCount = 0

    private static var failureByteCount: Int { MemoryLayout<Waiting>.stride }

    deinit {
        for case .datagram(let block, _, _) in waiting[next...] { unsafe UVWriteBuffer.giveBack(block) }
    }

    var isEmpty: Bool { next == waiting.count }

    /// Copies a datagram into a buffer of the pool.
    mutating func append(
        _ bytes: Span<UInt8>, sender: SocketAddress, isTruncated: Bool, from pool: UnsafeMutablePointer<BufferPool>
    ) {
        var buffer = unsafe UVWriteBuffer(block: pool.pointee.take(capacity: bytes.count, pool: pool))
        buffer.append(copying: bytes)
        let block = unsafe buffer.takeBlock()
        byteCount += unsafe ReceivedDatagrams.byteCount(of: block)
        unsafe waiting.append(.datagram(block, sender: sender, isTruncated: isTruncated))
    }

    mutating func append(_ failure: UVError) {
        byteCount += ReceivedDatagrams.failureByteCount
        waiting.append(.failure(failure))
    }

    /// The first datagram, which is the caller's now; `nil` where there is none.
    ///
    /// - Throws: the failure that came before it, once.
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
            return unsafe UVDatagram(UVWriteBuffer(block: block), from: sender, isTruncated: isTruncated)
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
