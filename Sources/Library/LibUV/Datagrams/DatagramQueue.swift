internal import CLibUV

/// The datagrams that are queued behind the datagram that libuv is sending.
///
/// libuv before 1.50 sends up to 20 queued datagrams with one system call. If one of them fails, libuv reports the same
/// error for all later datagrams without trying to send them. With such a version of libuv, the library passes only one
/// datagram at a time to libuv. When libuv has completed this datagram, the library tries to send the queued datagrams
/// one by one.
@safe
struct DatagramQueue: ~Copyable {
    /// Whether the version of libuv at run time needs the queue.
    static let isNeeded = UVVersion.running < UVVersion(encoded: 0x013200)

    private var first: DatagramRequests.Request?
    private var last: DatagramRequests.Request?
    private(set) var count = 0
    private(set) var byteCount = 0

    init() {
        unsafe first = nil
        unsafe last = nil
    }

    var isEmpty: Bool { count == 0 }

    mutating func append(_ request: DatagramRequests.Request) {
        unsafe request.pointee.next = nil
        if let last = unsafe last { unsafe last.pointee.next = request } else { unsafe first = request }
        unsafe last = request
        count += 1
        byteCount += unsafe DatagramQueue.byteCount(of: request)
    }

    mutating func takeFirst() -> DatagramRequests.Request? {
        guard let request = unsafe first else { return nil }
        unsafe first = request.pointee.next
        if unsafe first == nil { unsafe last = nil }
        count -= 1
        byteCount -= unsafe DatagramQueue.byteCount(of: request)
        return unsafe request
    }

    private static func byteCount(of request: DatagramRequests.Request) -> Int {
        unsafe request.pointee.first.map { unsafe WriteChain.byteCount($0) } ?? 0
    }
}
