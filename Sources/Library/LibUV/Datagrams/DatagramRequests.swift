internal import CLibUV

/// The memory for requests to send datagrams.
///
/// Some requests are kept for reuse, so that sending allocates no memory in steady state.
@safe
struct DatagramRequests: ~Copyable {
    typealias Request = UnsafeMutablePointer<cuv_datagram_request>

    private static var keptCount: Int { 64 }
    private var first: Request?
    private var count = 0

    init() { unsafe first = nil }

    deinit {
        var request = unsafe first
        while let current = unsafe request {
            unsafe request = current.pointee.next
            unsafe current.deallocate()
        }
    }

    /// Returns a request, which belongs to the caller until the caller passes it to libuv.
    mutating func take() -> Request {
        guard let request = unsafe first else {
            let made = Request.allocate(capacity: 1)
            unsafe made.initialize(to: cuv_datagram_request())
            return unsafe made
        }
        unsafe first = request.pointee.next
        count -= 1
        return unsafe request
    }

    /// Returns a request that libuv has completed or rejected.
    mutating func giveBack(_ request: Request) {
        guard count < Self.keptCount else { return unsafe request.deallocate() }
        unsafe request.pointee.first = nil
        unsafe request.pointee.next = first
        unsafe first = request
        count += 1
    }
}
