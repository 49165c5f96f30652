public import CLinux
internal import Glibc

/// Waits through `epoll`: the kernel keeps the interests, and a wait costs what is ready, not what is watched.
@frozen
@safe
public struct EpollPoller: ~Copyable, Poller {
    @usableFromInline let epoll: FileDescriptor
    @usableFromInline let events: UnsafeMutableBufferPointer<epoll_event>

    /// How many ready descriptors one wait can find; the others are found by the next.
    @usableFromInline static var eventsPerWait: Int { 512 }

    /// None: as many as the process may open.
    public static var descriptorLimit: Int? { nil }

    /// Makes a poller that waits for nothing (`epoll_create1`).
    public init() throws(SystemCallError) {
        epoll = FileDescriptor(owning: try system("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        unsafe events = .allocate(capacity: EpollPoller.eventsPerWait)
        unsafe events.initialize(repeating: epoll_event())
    }

    deinit { unsafe events.deallocate() }

    /// Waits for a descriptor from here on (`EPOLL_CTL_ADD`).
    public mutating func add(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError) {
        try control(EPOLL_CTL_ADD, descriptor, interest)
    }

    /// Changes what is waited for on a descriptor (`EPOLL_CTL_MOD`).
    public mutating func modify(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError) {
        try control(EPOLL_CTL_MOD, descriptor, interest)
    }

    /// Waits for a descriptor no more (`EPOLL_CTL_DEL`).
    public mutating func remove(_ descriptor: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_DEL, descriptor, [])
    }

    /// Waits for a descriptor that is reported under a number of the caller's own, as the row of a table.
    public mutating func add(_ descriptor: Int32, _ interest: Interest, as number: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_ADD, descriptor, interest, as: number)
    }

    /// Changes what is waited for on a descriptor that is reported under a number of the caller's own.
    public mutating func modify(_ descriptor: Int32, _ interest: Interest, as number: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_MOD, descriptor, interest, as: number)
    }

    private func control(
        _ operation: Int32, _ descriptor: Int32, _ interest: Interest, as number: Int32? = nil
    ) throws(SystemCallError) {
        var event = unsafe epoll_event()
        if interest.contains(.readable) { unsafe event.events |= EPOLLIN.rawValue }
        if interest.contains(.writable) { unsafe event.events |= EPOLLOUT.rawValue }
        unsafe event.data.fd = number ?? descriptor
        try system("epoll_ctl") { unsafe epoll_ctl(epoll.rawValue, operation, descriptor, &event) }
    }

    /// Waits until a descriptor is ready (`epoll_wait`).
    @inlinable
    public mutating func wait(timeout: Duration?) throws(SystemCallError) -> Int {
        let milliseconds = timeout.map { waitingMilliseconds($0) } ?? -1
        let count = unsafe clinux_epoll_wait(epoll.rawValue, events.baseAddress, Int32(events.count), milliseconds)
        return count >= 0 ? count : try interruptedWait(Int32(clamping: -count))
    }

    /// Waits until a descriptor is ready or a time has passed, to the nanosecond (`epoll_pwait2`).
    ///
    /// Where the kernel has no such call (before 5.11), the wait ends up to a millisecond early, with nothing found.
    ///
    /// - Parameter nanoseconds: the longest wait; 0 looks and does not wait.
    /// - Returns: as `wait(timeout:)`.
    @inlinable
    public mutating func wait(nanoseconds: UInt64) throws(SystemCallError) -> Int {
        let limit = Int(clamping: nanoseconds)
        var count = unsafe clinux_epoll_wait_nanoseconds(
            epoll.rawValue, events.baseAddress, Int32(events.count), limit)
        if count >= 0 { return count }
        if EpollPoller.lacksNanoseconds(count) {
            let milliseconds = Int32(clamping: limit / 1_000_000)
            count = unsafe clinux_epoll_wait(epoll.rawValue, events.baseAddress, Int32(events.count), milliseconds)
        }
        return count >= 0 ? count : try interruptedWait(Int32(clamping: -count))
    }

    /// Lets the calling thread's waits end at their time, and not up to 50 µs later (`PR_SET_TIMERSLACK`).
    public static func waitExactly() { _ = clinux_set_timer_slack(1) }

    @usableFromInline
    static func lacksNanoseconds(_ count: Int) -> Bool { count == -Int(ENOSYS) }

    /// One of the descriptors that the last `wait` found.
    @inlinable
    @inline(__always)
    public func ready(at index: Int) -> ReadyDescriptor {
        precondition(index >= 0 && index < EpollPoller.eventsPerWait, "an event that no wait can find")
        // Every element is initialised, and `index` is one of theirs.
        let event = unsafe events[index]
        var readiness: Interest = []
        if unsafe event.events & (EPOLLIN.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
            readiness = .readable
        }
        if unsafe event.events & (EPOLLOUT.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
            readiness.insert(.writable)
        }
        return unsafe ReadyDescriptor(descriptor: event.data.fd, readiness: readiness)
    }
}

/// A failed wait: nothing is ready where a signal has come.
@usableFromInline
func interruptedWait(_ code: Int32) throws(SystemCallError) -> Int {
    if code == EINTR { return 0 }
    throw SystemCallError(code: code, call: "wait")
}

/// A timeout as the calls of the system take it.
@usableFromInline
func waitingMilliseconds(_ timeout: Duration) -> Int32 { Int32(clamping: max(0, timeout.milliseconds)) }
