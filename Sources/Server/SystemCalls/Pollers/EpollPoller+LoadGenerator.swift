public import CLinux
internal import Glibc

// The functions of epoll that only the load generator needs: numbers instead of descriptors, and waits that end on
// time.
extension EpollPoller {
    /// Adds a descriptor that the poller reports as `number`, for example a row of a table.
    public mutating func add(_ descriptor: Int32, _ interest: Interest, as number: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_ADD, descriptor, interest, as: number)
    }

    /// Replaces the interest of a descriptor that the poller reports as `number`.
    public mutating func modify(_ descriptor: Int32, _ interest: Interest, as number: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_MOD, descriptor, interest, as: number)
    }

    /// Waits until a descriptor is ready, with a timeout in nanoseconds (`epoll_pwait2`).
    ///
    /// On a kernel older than 5.11 a wait without ready descriptors ends up to a millisecond early.
    ///
    /// - Parameter nanoseconds: the longest wait; 0 does not wait.
    /// - Returns: the number of ready descriptors, like `wait(timeout:)`.
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

    /// Makes the calling thread's waits end on time instead of up to 50 µs late (`PR_SET_TIMERSLACK`).
    public static func waitExactly() { _ = clinux_set_timer_slack(1) }

    @usableFromInline
    static func lacksNanoseconds(_ count: Int) -> Bool { count == -Int(ENOSYS) }
}
