internal import Glibc

/// A poller that uses `poll`.
///
/// Each wait passes the whole list of descriptors to the kernel, and then searches the list for ready descriptors.
public struct PollPoller: ~Copyable, Poller {
    private var entries: [pollfd] = []
    /// The index of each descriptor's entry in `entries`, or -1 if the descriptor has no entry.
    private var places: [Int] = []
    private var found: [ReadyDescriptor] = []

    /// Always `nil`, because `poll` can watch any descriptor.
    public static var descriptorLimit: Int? { nil }

    /// Makes a poller without descriptors.
    public init() {}

    /// Adds a descriptor.
    public mutating func add(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError) {
        guard descriptor >= 0 else { throw SystemCallError(code: EBADF, call: "poll") }
        if place(of: descriptor) != nil { throw SystemCallError(code: EEXIST, call: "poll") }
        while places.count <= Int(descriptor) { places.append(-1) }
        places[Int(descriptor)] = entries.count
        entries.append(pollfd(fd: descriptor, events: PollPoller.events(interest), revents: 0))
    }

    /// Replaces a descriptor's interest.
    public mutating func modify(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError) {
        guard let place = place(of: descriptor) else { throw SystemCallError(code: ENOENT, call: "poll") }
        entries[place].events = PollPoller.events(interest)
    }

    /// Removes a descriptor, and moves the last entry of the list to the removed entry's position.
    public mutating func remove(_ descriptor: Int32) throws(SystemCallError) {
        guard let place = place(of: descriptor) else { throw SystemCallError(code: ENOENT, call: "poll") }
        places[Int(descriptor)] = -1
        let last = entries.removeLast()
        if place < entries.count {
            entries[place] = last
            places[Int(last.fd)] = place
        }
    }

    private func place(of descriptor: Int32) -> Int? {
        guard descriptor >= 0, Int(descriptor) < places.count, places[Int(descriptor)] >= 0 else { return nil }
        return places[Int(descriptor)]
    }

    private static func events(_ interest: Interest) -> Int16 {
        Int16((interest.contains(.readable) ? POLLIN : 0) | (interest.contains(.writable) ? POLLOUT : 0))
    }

    /// Waits until a descriptor is ready (`poll`).
    public mutating func wait(timeout: Duration?) throws(SystemCallError) -> Int {
        let milliseconds = timeout?.pollMilliseconds ?? -1
        found.removeAll(keepingCapacity: true)
        let count = unsafe entries.withUnsafeMutableBufferPointer { entries in
            unsafe poll(entries.baseAddress, nfds_t(entries.count), milliseconds)
        }
        if count < 0 { return try waitFailed(errno, "poll", of: entries.count) }
        // The kernel returns the number of ready descriptors, but does not list them.
        for entry in entries {
            if found.count == count { break }
            if entry.revents != 0 { found.append(PollPoller.ready(entry)) }
        }
        return found.count
    }

    private static func ready(_ entry: pollfd) -> ReadyDescriptor {
        let failure = Int32(entry.revents) & (POLLERR | POLLHUP | POLLNVAL)
        var readiness: Interest = []
        if Int32(entry.revents) & POLLIN | failure != 0 { readiness = .readable }
        if Int32(entry.revents) & POLLOUT | failure != 0 { readiness.insert(.writable) }
        return ReadyDescriptor(descriptor: entry.fd, readiness: readiness)
    }

    /// Returns one of the ready descriptors that the last `wait` found.
    public func ready(at index: Int) -> ReadyDescriptor { found[index] }
}
