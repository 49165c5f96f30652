public import CLinux
internal import Glibc

/// A poller that uses `epoll`.
///
/// The kernel stores the interests, so the cost of a wait depends only on the number of ready descriptors.
@frozen
@safe
public struct EpollPoller: ~Copyable, Poller {
    @usableFromInline let epoll: FileDescriptor
    @usableFromInline let events: UnsafeMutableBufferPointer<epoll_event>

    /// The maximum number of ready descriptors that one wait returns.
    ///
    /// The next wait returns the remaining descriptors.
    @usableFromInline static var eventsPerWait: Int { 512 }

    /// Always `nil`, because `epoll` can watch any descriptor.
    public static var descriptorLimit: Int? { nil }

    /// Makes a poller without descriptors (`epoll_create1`).
    public init() throws(SystemCallError) {
        epoll = FileDescriptor(owning: try system("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        unsafe events = .allocate(capacity: EpollPoller.eventsPerWait)
        unsafe events.initialize(repeating: epoll_event())
    }

    deinit { unsafe events.deallocate() }

    /// Adds a descriptor (`EPOLL_CTL_ADD`).
    public mutating func add(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError) {
        try control(EPOLL_CTL_ADD, descriptor, interest)
    }

    /// Replaces a descriptor's interest (`EPOLL_CTL_MOD`).
    public mutating func modify(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError) {
        try control(EPOLL_CTL_MOD, descriptor, interest)
    }

    /// Removes a descriptor (`EPOLL_CTL_DEL`).
    public mutating func remove(_ descriptor: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_DEL, descriptor, [])
    }

    func control(
        _ operation: Int32, _ descriptor: Int32, _ interest: Interest, as number: Int32? = nil
    ) throws(SystemCallError) {
        var event = unsafe epoll_event()
        if interest.contains(.readable) { unsafe event.events |= EPOLLIN.rawValue }
        if interest.contains(.writable) { unsafe event.events |= EPOLLOUT.rawValue }
        unsafe event.data.fd = number ?? descriptor
        try system("epoll_ctl") { unsafe epoll_ctl(epoll.rawValue, operation, descriptor, &event) }
    }

    /// Waits until a descriptor is ready (`epoll_pwait`).
    @inlinable
    public mutating func wait(timeout: Duration?) throws(SystemCallError) -> Int {
        let milliseconds = timeout?.pollMilliseconds ?? -1
        let count = unsafe clinux_epoll_wait(epoll.rawValue, events.baseAddress, Int32(events.count), milliseconds)
        return count >= 0 ? count : try waitFailed(Int32(clamping: -count), "epoll_pwait")
    }

    /// Returns one of the ready descriptors that the last `wait` found.
    @inlinable
    @inline(__always)
    public func ready(at index: Int) -> ReadyDescriptor {
        precondition(index >= 0 && index < EpollPoller.eventsPerWait, "index out of range")
        // Every element is initialised, and `index` is in range.
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
