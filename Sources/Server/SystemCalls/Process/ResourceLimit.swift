internal import Glibc

/// A kernel limit on a resource that the process or its user consumes (`getrlimit`).
public enum ResourceLimit: Sendable, CaseIterable {
    /// The number of processes and threads of the user (`RLIMIT_NPROC`).
    ///
    /// The kernel does not enforce the limit for privileged users.
    case processes
    /// The size of the address space in bytes (`RLIMIT_AS`).
    case addressSpace

    /// The name of the limit, for example `RLIMIT_NPROC`.
    public var name: String {
        switch self {
        case .processes: "RLIMIT_NPROC"
        case .addressSpace: "RLIMIT_AS"
        }
    }

    /// The soft limit, or `nil` if the resource is not limited.
    public var value: Int? {
        var limit = rlimit()
        let number = self == .processes ? __RLIMIT_NPROC.rawValue : RLIMIT_AS.rawValue
        guard unsafe getrlimit(__rlimit_resource_t(number), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else {
            return nil
        }
        return Int(limit.rlim_cur)
    }
}

extension DescriptorLimit {
    /// Returns the number of open descriptors below 1024 (`poll`, which needs one system call for all of them).
    ///
    /// The kernel assigns the lowest free descriptor first, so a program that starts normally has no descriptor of 1024
    /// or above.
    public static func openCount() -> Int {
        let limit = min((try? current().soft) ?? 0, 1024)
        var entries = (0..<limit).map { pollfd(fd: Int32($0), events: 0, revents: 0) }
        let result = unsafe entries.withUnsafeMutableBufferPointer { entries in
            unsafe poll(entries.baseAddress, nfds_t(entries.count), 0)
        }
        // If the call fails, the three standard descriptors are assumed to be open.
        return result < 0 ? 3 : entries.count { Int32($0.revents) & POLLNVAL == 0 }
    }
}

extension ThreadGroup {
    /// Starts threads, ends them again, and returns how many could be started.
    ///
    /// - Parameter enough: the largest number of threads to start.
    public static func startableCount(upTo enough: Int) -> Int {
        let group = ThreadGroup()
        let mayEnd = Monitor(false)
        var count = 0
        while count < enough, (try? group.start { mayEnd.wait { $0 ? () : nil } }) != nil { count += 1 }
        mayEnd.withLock { $0 = true }
        mayEnd.notifyAll()
        group.joinAll()
        return count
    }
}
