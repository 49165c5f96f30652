internal import Glibc

/// Waits until a descriptor is ready or has failed, or until another descriptor is readable (`poll`).
///
/// - Returns: `true` if one of the descriptors is ready or has failed; `false` if the deadline has passed.
func waitUntilReady(
    _ descriptor: Int32, or other: Int32 = -1, for events: Int32 = POLLIN,
    until deadline: ContinuousClock.Instant? = nil
) throws(SystemCallError) -> Bool {
    let count = other < 0 ? 1 : 2
    var entries: InlineArray<2, pollfd> = [
        pollfd(fd: descriptor, events: Int16(events), revents: 0), pollfd(fd: other, events: Int16(POLLIN), revents: 0),
    ]
    while true {
        let milliseconds = deadline.map { ContinuousClock.now.duration(to: $0).pollMilliseconds } ?? -1
        var span = entries.mutableSpan
        let result = unsafe span.withUnsafeMutableBufferPointer {
            unsafe poll($0.baseAddress, nfds_t(count), milliseconds)
        }
        if result > 0 { return true }
        if result < 0 { try waitFailed(errno, "poll", of: count) }
        if let deadline, ContinuousClock.now >= deadline { return false }
    }
}

/// Returns if a failed wait may be repeated, and throws an error if it must not be repeated.
///
/// A wait that a signal interrupted is repeated immediately. If the kernel has no memory for the wait (`ENOMEM`,
/// `EAGAIN`), or if the number of descriptors was briefly above the process's descriptor limit (`EINVAL`), the function
/// sleeps for 10 ms before it returns. All other errors are fatal.
///
/// - Parameters:
///   - call: the name of the system call.
///   - count: the number of descriptors that were passed to the call. `poll` accepts at most as many descriptors as the
///     process may open. If this limit is the cause of the failure, the error names it.
/// - Returns: 0, the number of ready descriptors.
@usableFromInline
@discardableResult
func waitFailed(_ code: Int32, _ call: StaticString, of count: Int = 0) throws(SystemCallError) -> Int {
    switch code {
    case EINTR: return 0
    case EINVAL where count > 0:
        if let limit = try? DescriptorLimit.current().soft, count > limit {
            throw SystemCallError(
                code: code,
                call: """
                    \(call) of \(count) descriptors, which is above the limit of \(limit) open descriptors \
                    (RLIMIT_NOFILE; prlimit --nofile raises it)
                    """)
        }
        // The descriptor limit has been raised again since the call.
        fallthrough
    case ENOMEM, EAGAIN:
        PosixThread.sleep(.milliseconds(10))
        return 0
    default: throw SystemCallError(code: code, call: "\(call)")
    }
}
