internal import Glibc

/// Waits until one of two descriptors is ready or has failed (`poll`).
///
/// - Returns: whether a descriptor is ready or has failed; `false` if the deadline has passed.
func waitUntilReady(
    _ descriptor: Int32, or other: Int32 = -1, for events: Int32 = POLLIN,
    until deadline: ContinuousClock.Instant? = nil
) throws(SystemCallError) -> Bool {
    // `poll` ignores a negative descriptor, so `other` is optional.
    var entries: InlineArray<2, pollfd> = [
        pollfd(fd: descriptor, events: Int16(events), revents: 0), pollfd(fd: other, events: Int16(events), revents: 0),
    ]
    while true {
        let milliseconds = deadline.map { ContinuousClock.now.duration(to: $0).pollMilliseconds } ?? -1
        var span = entries.mutableSpan
        let count = unsafe span.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 2, milliseconds) }
        let code = errno
        if count > 0 { return true }
        if count == 0, let deadline, ContinuousClock.now >= deadline { return false }
        if count < 0, code != EINTR { throw SystemCallError(code: code, call: "poll") }
    }
}
