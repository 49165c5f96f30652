internal import CLinux
internal import Glibc

/// A descriptor through which any thread wakes a poller (`eventfd`).
public struct WakeUp: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// The descriptor's number, readable once woken; it stays this value's.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Makes a wake-up that is not woken.
    public init() throws(SystemCallError) {
        let flags = Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC)
        descriptor = FileDescriptor(owning: try system("eventfd") { eventfd(0, flags) })
    }

    /// Makes the descriptor readable; callable from any thread.
    public func signal() { _ = eventfd_write(descriptor.rawValue, 1) }

    /// Waits until it has been woken (`poll`).
    ///
    /// - Returns: whether it has: false where the timeout has passed.
    public func wait(timeout: Duration) -> Bool {
        var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, waitingMilliseconds(timeout)) > 0
    }

    /// Makes the descriptor unreadable again.
    public func clear() {
        var count: eventfd_t = 0
        unsafe _ = eventfd_read(descriptor.rawValue, &count)
    }
}
