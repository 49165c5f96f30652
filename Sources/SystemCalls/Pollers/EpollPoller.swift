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

    private func control(_ operation: Int32, _ descriptor: Int32, _ interest: Interest) throws(SystemCallError) {
        var event = unsafe epoll_event()
        if interest.contains(.readable) { unsafe event.events |= EPOLLIN.rawValue }
        if interest.contains(.writable) { unsafe event.events |= EPOLLOUT.rawValue }
        unsafe event.data.fd = descriptor
        try system("epoll_ctl") { unsafe epoll_ctl(epoll.rawValue, operation, descriptor, &event) }
    }

    /// Waits until a descriptor is ready (`epoll_wait`).
    @inlinable
    public mutating func wait(timeout: Duration?) throws(SystemCallError) -> Int {
        let milliseconds = timeout.map { waitingMilliseconds($0) } ?? -1
        let count = unsafe clinux_epoll_wait(epoll.rawValue, events.baseAddress, Int32(events.count), milliseconds)
        return count >= 0 ? count : try interruptedWait(Int32(clamping: -count))
    }

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
