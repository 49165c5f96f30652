internal import CLibUV

/// Datagrams that wait behind one that libuv is sending.
///
/// libuv before 1.50 sends up to 20 of those that wait with one system call, and gives the failure of one to all that
/// come after it, untried. There it is given one at a time, and those behind it are tried one by one when it is done.
@safe
struct DatagramQueue: ~Copyable {
    /// Whether the libuv at run time needs it.
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
