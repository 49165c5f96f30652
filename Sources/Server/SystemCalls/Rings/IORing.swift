public import CLinux
internal import Glibc

/// A queue of requests and a queue of completions, which a thread shares with the kernel (`io_uring`).
///
/// A request names a system call. The kernel carries out the requests while the thread waits, and the completions are
/// their results. A single system call (`io_uring_enter`) submits all requests and waits for completions.
///
/// - **Received bytes** are in buffers that the kernel chooses from the ring's pool. A buffer returns to the pool with
///   `recycle`, and the kernel uses it again after the next wait.
/// - **Sent bytes** are in the ring's reply area. A send never waits for the client. If it sends all bytes, it has no
///   completion. Otherwise, its completion tells how many bytes it has sent. When `wait` has returned, all sends have
///   ended, and `emptyReplies` makes the area available again.
/// - **One thread** makes the ring and uses it, because the kernel completes requests only while this thread waits.
@frozen
@safe
public struct IORing: ~Copyable {
    /// A kind of request.
    @frozen
    public enum Kind: UInt8, Sendable {
        case accept
        case receive
        case send
        case event
        case cancel
    }

    /// A result of a request.
    @frozen
    public struct Completion: Sendable {
        /// The kind of the request.
        public var kind: Kind
        /// The request's descriptor.
        public var descriptor: Int32
        /// The result of the system call, or a negative error number.
        public var result: Int32
        @usableFromInline var flags: UInt32

        /// Whether the request continues, and will complete again.
        @inlinable public var hasMore: Bool { flags & UInt32(clinux_ring_has_more) != 0 }

        /// Whether the completion has a buffer with received bytes.
        @inlinable public var hasBuffer: Bool { flags & UInt32(clinux_ring_has_buffer) != 0 }

        /// Whether the completion has a buffer with received bytes, and its request continues.
        @inlinable public var isUsual: Bool { hasBuffer && hasMore && result > 0 }

        /// The number of the buffer.
        @inlinable public var buffer: Int { Int(flags >> 16) }

        @inlinable
        @inline(__always)
        init(_ entry: clinux_ring_completion) {
            // The ring has made all tags, so the kind is valid.
            kind = unsafe unsafeBitCast(UInt8(truncatingIfNeeded: entry.tag_kind), to: Kind.self)
            descriptor = entry.tag_descriptor
            result = entry.result
            flags = entry.flags
        }
    }

    /// Results that replace those of the kernel, for tests.
    public struct Faults: Sendable {
        /// Error numbers by kind of request.
        ///
        /// Each new request of a kind, except a send, removes the first number of
        /// that kind, and fails with that number.
        public var errors: [Kind: [Int32]] = [:]
        /// Whether each request to accept or to receive completes only once.
        public var completesOnce = false
        /// The largest number of bytes that one send sends.
        public var longestSend = Int.max

        /// Whether the kernel takes no requests, as if it had no memory.
        public var rejectsSubmissions = false

        /// Replaces no result.
        public init() {}

        /// Takes the error number for a new request of a kind.
        mutating func next(_ kind: Kind) -> Int32? {
            guard let error = errors[kind]?.first else { return nil }
            errors[kind]?.removeFirst()
            return error
        }
    }

    @usableFromInline var ring = unsafe clinux_ring()
    /// The bytes of all buffers, followed by the reply area.
    @usableFromInline let memory: UnsafeMutablePointer<UInt8>
    @usableFromInline let bufferSize: Int
    @usableFromInline let bufferCount: Int
    /// The reply area, which has room for the replies to all buffers and to `spareReplyBytes`.
    @usableFromInline let area: UnsafeMutablePointer<UInt8>
    @usableFromInline let areaSize: Int
    @usableFromInline var replyEnd = 0
    @usableFromInline var faults: Faults?
    /// Whether a request had to be dropped, because the kernel had taken no requests for a long time.
    private var hasFailed = false
    /// Whether `wait` may enter the kernel directly, because `faults` and `replaced` are `nil` and the ring has not
    /// failed.
    @usableFromInline var isPlain: Bool
    /// The value of `ring` before `collectOverflow` replaced its queue of completions by copies, or `nil` if the queue
    /// is not replaced.
    @usableFromInline var replaced: clinux_ring?

    /// Makes a ring (`io_uring_setup`, `io_uring_register`).
    ///
    /// - Parameters:
    ///   - requestCount: the capacity of the queue of requests. If the queue is full, the ring submits the requests at
    ///     once, without waiting for the next `wait`.
    ///   - completionCount: the capacity of the queue of completions. The kernel stores further completions itself.
    ///   - bufferCount: the number of buffers, a power of two.
    ///   - bufferSize: the number of bytes in a buffer.
    ///   - spareReplyBytes: further room in the reply area, for replies to bytes that the caller has copied.
    /// - Throws: `ENOSYS` if the kernel has no io_uring, `EINVAL` if the kernel is older than Linux 6.1, `EPERM` if the
    ///   system or the container denies io_uring, or `ENOMEM`.
    public init(
        requestCount: Int = 1024, completionCount: Int = 4096, bufferCount: Int, bufferSize: Int,
        spareReplyBytes: Int, faults: Faults? = nil
    ) throws(SystemCallError) {
        var ring = unsafe clinux_ring()
        var status = unsafe clinux_ring_open(&ring, UInt32(requestCount), UInt32(completionCount))
        guard status >= 0 else { throw IORing.refusal(Int32(clamping: -status), "io_uring_setup") }
        status = unsafe clinux_ring_provide(&ring, UInt32(bufferCount))
        guard status >= 0 else {
            unsafe clinux_ring_close(&ring)
            throw IORing.refusal(Int32(clamping: -status), "io_uring_register")
        }
        unsafe self.ring = unsafe ring
        self.bufferSize = bufferSize
        self.bufferCount = bufferCount
        self.faults = faults
        isPlain = faults == nil
        areaSize = bufferCount * bufferSize + spareReplyBytes
        unsafe memory = .allocate(capacity: bufferCount * bufferSize + areaSize)
        unsafe area = memory + bufferCount * bufferSize
        for buffer in 0..<bufferCount { recycle(buffer) }
    }

    /// Makes the error for a call that could not make a ring, with the reason and the remedy if they are known.
    private static func refusal(_ code: Int32, _ call: String) -> SystemCallError {
        let reason =
            switch code {
            case EPERM, EACCES: "this system or its container denies io_uring; permit it, or choose another --model"
            case ENOSYS, EINVAL: "the model needs Linux 6.1 or later; choose another --model"
            default: ""
            }
        return SystemCallError(code: code, call: reason.isEmpty ? call : "\(call) (\(reason))")
    }

    deinit {
        deallocateCopies()
        var ring = unsafe ring
        // The kernel writes to the buffers only while this thread waits, so it does not use the memory any more.
        unsafe clinux_ring_close(&ring)
        unsafe memory.deallocate()
    }
}

// MARK: - Waiting

extension IORing {
    /// Submits all requests, and waits until there is a completion (`io_uring_enter`).
    ///
    /// - Parameter timeout: the longest time to wait. With `nil`, the wait has no timeout.
    /// - Returns: the number of completions. It is 0 if the timeout has passed, a signal has interrupted the wait, or
    ///   the kernel had no memory for the wait.
    @inlinable
    @inline(__always)
    public mutating func wait(timeout: Duration? = nil) throws(SystemCallError) -> Int {
        unsafe clinux_ring_publish(&ring)
        let status = timeout == nil && isPlain ? unsafe clinux_ring_enter(&ring, 1, nil) : enterCarefully(timeout)
        if status != 0 { try submitRest(after: status) }
        return unsafe Int(clinux_ring_completed(&ring))
    }

    @usableFromInline
    mutating func enterCarefully(_ timeout: Duration?) -> Int {
        precondition(unsafe replaced == nil, "`submit` must follow `collectOverflow`")
        return enter(1, timeout)
    }

    /// Submits all requests, and returns the number of completions, but does not wait for a completion
    /// (`io_uring_enter`).
    public mutating func submit() throws(SystemCallError) -> Int {
        restoreQueue()
        unsafe clinux_ring_publish(&ring)
        let status = enter(0, nil)
        if status != 0 { try submitRest(after: status) }
        return unsafe Int(clinux_ring_completed(&ring))
    }

    /// Finds the completions for which the queue had no room.
    ///
    /// If there are any, the ring copies all completions and replaces its queue by the copies. After the caller has
    /// removed the completions, it must call `submit` and not `wait`, because only `submit` restores the queue.
    ///
    /// - Parameter count: the number of completions that `wait` or `submit` has returned.
    /// - Returns: the number of all completions.
    public mutating func collectOverflow(_ count: Int) throws(SystemCallError) -> Int {
        guard unsafe clinux_ring_has_overflow(&ring) != 0 else { return count }
        var all: [clinux_ring_completion] = []
        var found = count
        while true {
            for index in 0..<found { unsafe all.append(clinux_ring_completion_at(&ring, UInt32(index)).pointee) }
            removeCompletions(found)
            guard unsafe clinux_ring_has_overflow(&ring) != 0 else { break }
            let status = enter(0, nil)
            if status != 0 { try submitRest(after: status) }
            found = unsafe Int(clinux_ring_completed(&ring))
        }
        unsafe replaced = unsafe ring
        isPlain = false
        let copies = UnsafeMutablePointer<clinux_ring_completion>.allocate(capacity: all.count)
        unsafe copies.initialize(from: all, count: all.count)
        unsafe ring.completions = copies
        unsafe ring.completion_mask = .max
        // This head belongs to the copies, so the kernel does not read it.
        unsafe ring.completion_head = .allocate(capacity: 1)
        unsafe ring.removed = 0
        return all.count
    }

    private func deallocateCopies() {
        if unsafe replaced == nil { return }
        unsafe ring.completions?.deallocate()
        unsafe ring.completion_head?.deallocate()
    }

    private mutating func restoreQueue() {
        guard let replaced = unsafe replaced else { return }
        deallocateCopies()
        unsafe ring.completions = replaced.completions
        unsafe ring.completion_mask = replaced.completion_mask
        unsafe ring.completion_head = replaced.completion_head
        unsafe ring.removed = replaced.removed
        unsafe self.replaced = nil
        isPlain = faults == nil && !hasFailed
    }

    @usableFromInline
    mutating func enter(_ wanted: UInt32, _ timeout: Duration?) -> Int {
        if hasFailed || faults?.rejectsSubmissions == true { return -Int(EAGAIN) }
        if faults != nil { shortenSends() }
        defer { if faults != nil { replaceResults() } }
        guard let timeout else { return unsafe clinux_ring_enter(&ring, wanted, nil) }
        let nanoseconds = Int(clamping: max(timeout, .zero).nanoseconds)
        var limit: (Int, Int) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
        return unsafe withUnsafeBytes(of: &limit) {
            unsafe clinux_ring_enter(&ring, wanted, $0.baseAddress?.assumingMemoryBound(to: Int.self))
        }
    }

    /// Returns if the caller can continue after a failed call, and otherwise throws an error.
    private func enterFailed(_ code: Int32) throws(SystemCallError) {
        // EBUSY: the kernel keeps completions for which the queue has no room. ETIME: the timeout has passed.
        if code == EBUSY || code == ETIME { return }
        try waitFailed(code, "io_uring_enter")
    }

    /// Submits the requests that the kernel has not taken, for example because it had no memory.
    @usableFromInline
    mutating func submitRest(after status: Int) throws(SystemCallError) {
        if hasFailed { throw SystemCallError(code: EAGAIN, call: "io_uring_enter") }
        if status < 0 { try enterFailed(Int32(clamping: -status)) }
        for _ in 0..<IORing.mostAttempts {
            if unsafe clinux_ring_unsubmitted(&ring) == 0 { return }
            if enter(0, nil) < 0 { PosixThread.sleep(.milliseconds(1)) }
        }
        throw SystemCallError(code: EAGAIN, call: "io_uring_enter")
    }

    /// The number of times that a submission is tried, at intervals of a millisecond.
    static var mostAttempts: Int { 5000 }

    /// Returns a completion that the last `wait` has found.
    @inlinable
    @inline(__always)
    public borrowing func completion(at index: Int) -> Completion {
        unsafe withUnsafePointer(to: ring) {
            unsafe Completion(clinux_ring_completion_at($0, UInt32(truncatingIfNeeded: index)).pointee)
        }
    }

    /// The number of completions in the queue, or 0 while the ring has copies.
    ///
    /// The number can grow after `wait`: if the queue of requests becomes full, the ring submits the requests, and some
    /// of them may complete.
    public var completionCount: Int {
        guard unsafe replaced == nil else { return 0 }
        return unsafe withUnsafePointer(to: ring) { unsafe Int(clinux_ring_completed($0)) }
    }

    /// Removes the completions that the last `wait` has found.
    @inlinable
    public mutating func removeCompletions(_ count: Int) {
        unsafe clinux_ring_remove(&ring, UInt32(truncatingIfNeeded: count))
    }
}

// MARK: - Bytes

extension IORing {
    /// Returns a buffer to the pool.
    @inlinable
    @inline(__always)
    public mutating func recycle(_ buffer: Int) {
        precondition(buffer >= 0 && buffer < bufferCount, "invalid buffer")
        unsafe clinux_ring_return(
            &ring, memory + buffer &* bufferSize, UInt32(truncatingIfNeeded: bufferSize),
            UInt16(truncatingIfNeeded: buffer))
    }

    /// Calls `body` with the first bytes of a buffer.
    @inlinable
    @inline(__always)
    public borrowing func withBytes<Outcome>(of buffer: Int, count: Int, _ body: (Span<UInt8>) -> Outcome) -> Outcome {
        precondition(buffer < bufferCount && count <= bufferSize, "invalid buffer")
        // The kernel has initialised the bytes that it has received.
        return body(unsafe Span(_unsafeStart: memory + buffer &* bufferSize, count: count))
    }

    /// Calls `body` with the first bytes of a buffer, and with room for a reply of the same length.
    ///
    /// - Returns: the place of the reply, whose length is the number of bytes that `body` appends.
    @inlinable
    @inline(__always)
    public mutating func reply(
        to buffer: Int, count: Int, _ body: (Span<UInt8>, inout OutputSpan<UInt8>) -> Void
    ) -> Range<Int> {
        precondition(buffer < bufferCount && count <= bufferSize, "invalid buffer")
        let bytes = unsafe memory + buffer &* bufferSize
        return reply(limit: count) { output in body(unsafe Span(_unsafeStart: bytes, count: count), &output) }
    }

    /// Calls `body` with room for a reply.
    ///
    /// - Parameter limit: the largest number of bytes that `body` appends. The program traps if the area has less room.
    @inlinable
    @inline(__always)
    public mutating func reply(limit: Int, _ body: (inout OutputSpan<UInt8>) -> Void) -> Range<Int> {
        precondition(limit >= 0 && limit <= areaSize &- replyEnd, "the reply area is full")
        let room = unsafe UnsafeMutableBufferPointer(start: area + replyEnd, count: limit)
        var output = unsafe OutputSpan(buffer: room, initializedCount: 0)
        body(&output)
        let start = replyEnd
        let count = unsafe output.finalize(for: room)
        replyEnd = start &+ count
        return unsafe Range(uncheckedBounds: (start, replyEnd))
    }

    /// Whether the reply area has room for this many bytes and also for the replies to all buffers.
    public func hasSpareRoom(for count: Int) -> Bool { areaSize - replyEnd - count >= bufferCount * bufferSize }

    /// Makes the reply area available again.
    @inlinable public mutating func emptyReplies() { replyEnd = 0 }

    /// Calls `body` with the bytes of a reply.
    public borrowing func withReply<Outcome>(_ range: Range<Int>, _ body: (Span<UInt8>) -> Outcome) -> Outcome {
        precondition(range.lowerBound >= 0 && range.upperBound <= areaSize, "no reply")
        // The bytes stay in the area until `emptyReplies` and the next reply.
        return body(
            unsafe Span(_unsafeStart: area + range.lowerBound, count: range.count))
    }
}

// MARK: - Requests

extension IORing {
    /// Accepts connections of a blocking listener, until a completion has `hasMore` equal to `false`.
    public mutating func accept(_ listener: Int32) {
        make(
            .accept, clinux_ring_accept, listener,
            priority: faults?.completesOnce == true ? 0 : clinux_ring_accepts_many,
            operationFlags: UInt32(SOCK_CLOEXEC.rawValue))
    }

    /// Receives bytes of a blocking socket, until a completion has `hasMore` equal to `false`.
    public mutating func receive(_ descriptor: Int32) {
        make(
            .receive, clinux_ring_receive, descriptor, flags: clinux_ring_selects_buffer,
            priority: faults?.completesOnce == true ? 0 : clinux_ring_receives_many)
    }

    /// Sends a reply.
    ///
    /// Only a send that does not send all bytes has a completion. Its result is the number of sent bytes, or an error,
    /// for example `EAGAIN` if the kernel has accepted no byte. Until the next `wait`, the caller may extend this send,
    /// but must not make a second send on the descriptor.
    @inlinable
    @inline(__always)
    public mutating func send(_ reply: Range<Int>, on descriptor: Int32) {
        if unsafe clinux_ring_is_full(&ring) != 0 { makeRoom() }
        unsafe clinux_ring_make(
            &ring, UInt8(clinux_ring_send), UInt8(clinux_ring_skips_success), 0, descriptor, area + reply.lowerBound,
            UInt32(truncatingIfNeeded: reply.upperBound &- reply.lowerBound), UInt32(clinux_ring_send_flags),
            UInt32(Kind.send.rawValue))
    }

    /// Extends the last request by a reply, if the request is a send on the descriptor and the reply directly follows
    /// the bytes of that send.
    ///
    /// - Returns: whether that was possible.
    public mutating func extendSend(by reply: Range<Int>, on descriptor: Int32) -> Bool {
        let last = unsafe clinux_ring_request_before(&ring, 1)
        guard unsafe clinux_ring_unsubmitted(&ring) > 0, unsafe last.pointee.operation == clinux_ring_send,
            unsafe last.pointee.descriptor == descriptor,
            unsafe last.pointee.address + UInt64(last.pointee.length)
                == UInt64(UInt(bitPattern: area + reply.lowerBound))
        else { return false }
        unsafe last.pointee.length += UInt32(truncatingIfNeeded: reply.count)
        return true
    }

    /// Makes a request that completes once, when the descriptor is readable or writable (`poll`).
    public mutating func poll(_ descriptor: Int32, _ interest: Interest) {
        make(
            .event, clinux_ring_poll, descriptor,
            operationFlags: UInt32(
                (interest.contains(.readable) ? POLLIN : 0) | (interest.contains(.writable) ? POLLOUT : 0)))
    }

    /// Ends the requests of a descriptor; each of them then completes for the last time.
    public mutating func cancel(_ descriptor: Int32) {
        make(.cancel, clinux_ring_cancel, descriptor, operationFlags: UInt32(clinux_ring_cancels_all))
    }

    /// Makes a request.
    ///
    /// If the request must fail because of `faults`, the kernel does nothing, and `replaceResults` sets the error.
    private mutating func make(
        _ kind: Kind, _ operation: Int, _ descriptor: Int32, flags: Int = 0, priority: Int = 0,
        operationFlags: UInt32 = 0
    ) {
        if unsafe clinux_ring_is_full(&ring) != 0 { makeRoom() }
        if let error = faults?.next(kind) {
            return unsafe clinux_ring_make(
                &ring, UInt8(clinux_ring_nothing), 0, 0, descriptor, nil, 0, 0,
                UInt32(kind.rawValue) | UInt32(error) << IORing.errorShift)
        }
        unsafe clinux_ring_make(
            &ring, UInt8(operation), UInt8(flags), UInt16(priority), descriptor, nil, 0, operationFlags,
            UInt32(kind.rawValue))
    }

    /// Submits the requests, because the queue is full.
    @usableFromInline
    mutating func makeRoom() {
        for _ in 0..<(hasFailed ? 0 : IORing.mostAttempts) {
            // If the kernel has no memory for requests, try again after a pause.
            if enter(0, nil) < 0 { PosixThread.sleep(.milliseconds(1)) }
            if unsafe clinux_ring_is_full(&ring) == 0 { return }
        }
        // The new request overwrites the last request in the queue. The next `wait` throws an error, which ends the
        // server.
        hasFailed = true
        isPlain = false
        unsafe ring.made &-= 1
    }

    /// Sends as many bytes as the kernel accepts immediately, with a system call of its own (`send`).
    public static func sendAtOnce(_ bytes: Span<UInt8>, on descriptor: Int32) throws(SystemCallError) -> IOResult {
        let status = unsafe bytes.withUnsafeBufferPointer {
            unsafe clinux_send_at_once(descriptor, $0.baseAddress, $0.count)
        }
        if status >= 0 { return .bytes(status) }
        let code = Int32(clamping: -status)
        if code == EAGAIN || code == EINTR { return .wouldBlock }
        throw SystemCallError(code: code, call: "send")
    }
}

// MARK: - Faults

extension IORing {
    /// The position of the error number in the tag of a request that fails because of `faults`.
    private static var errorShift: UInt32 { 8 }

    /// Lets the sends that have not been submitted send fewer bytes.
    private func shortenSends() {
        guard let limit = faults?.longestSend, limit < Int.max else { return }
        unsafe withUnsafePointer(to: ring) { ring in
            for count in unsafe 0..<clinux_ring_unsubmitted(ring) {
                let request = unsafe clinux_ring_request_before(ring, count + 1)
                guard unsafe request.pointee.operation == clinux_ring_send, unsafe request.pointee.length > limit
                else { continue }
                unsafe request.pointee.length = UInt32(limit)
                unsafe request.pointee.flags = 0
            }
        }
    }

    /// Writes the error numbers into the completions of requests that fail.
    private func replaceResults() {
        if unsafe replaced != nil { return }
        unsafe withUnsafePointer(to: ring) { ring in
            for index in unsafe 0..<clinux_ring_completed(ring) {
                let entry = unsafe clinux_ring_completion_at(ring, index)
                let error = unsafe entry.pointee.tag_kind >> IORing.errorShift
                if error == 0 { continue }
                unsafe entry.pointee.tag_kind &= 0xFF
                unsafe entry.pointee.result = -Int32(error)
            }
        }
    }
}
