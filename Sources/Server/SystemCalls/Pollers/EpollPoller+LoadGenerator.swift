public import CLinux
internal import Glibc

// Only the load generator needs these functions. `add` and `modify` have a parameter for the number that the poller
// reports in place of the descriptor. `wait` has a timeout in nanoseconds.
extension EpollPoller {
    /// Adds a descriptor, which the poller reports as `number`, for example the index of a table row.
    public mutating func add(_ descriptor: Int32, _ interest: Interest, as number: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_ADD, descriptor, interest, as: number)
    }

    /// Replaces a descriptor's interest, and makes the poller report the descriptor as `number`.
    public mutating func modify(_ descriptor: Int32, _ interest: Interest, as number: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_MOD, descriptor, interest, as: number)
    }

    /// Waits until a descriptor is ready, with a timeout in nanoseconds (`epoll_pwait2`).
    ///
    /// Kernels before 5.11 lack `epoll_pwait2`. On these kernels, the timeout is rounded down to
    /// whole milliseconds (`epoll_pwait`).
    ///
    /// - Parameter nanoseconds: the longest time to wait. With 0, the call returns immediately.
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
        if count >= 0 { return count }
        try waitFailed(Int32(clamping: -count), "epoll_pwait2")
        return 0
    }

    /// Reduces the timer slack of the calling thread from 50 µs to 1 ns (`PR_SET_TIMERSLACK`).
    ///
    /// The timer slack is the longest delay that the kernel may add to a wait.
    public static func waitExactly() { _ = clinux_set_timer_slack(1) }

    @usableFromInline
    static func lacksNanoseconds(_ count: Int) -> Bool { count == -Int(ENOSYS) }
}
