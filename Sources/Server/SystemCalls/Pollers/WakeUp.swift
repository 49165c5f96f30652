internal import CLinux
internal import Glibc

/// A descriptor that any thread can use to wake a poller (`eventfd`).
public final class WakeUp: Sendable {
    private let descriptor: FileDescriptor

    /// The descriptor's number.
    ///
    /// The descriptor is readable after `signal`. The caller must not close the descriptor.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Makes a wake-up that has not been signalled.
    public init() throws(SystemCallError) {
        let flags = Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC)
        descriptor = FileDescriptor(owning: try system("eventfd") { eventfd(0, flags) })
    }

    /// Makes the descriptor readable.
    ///
    /// Callable from any thread and from a signal handler.
    public func signal() { _ = eventfd_write(descriptor.rawValue, 1) }

    /// Waits until `signal` is called (`poll`).
    ///
    /// - Returns: `true` if `signal` was called; `false` if the timeout has passed or the wait has failed.
    public func wait(timeout: Duration) -> Bool {
        (try? waitUntilReady(rawValue, until: .now.advanced(by: timeout))) ?? false
    }

    /// Makes the descriptor unreadable again.
    public func clear() {
        var count: eventfd_t = 0
        unsafe _ = eventfd_read(descriptor.rawValue, &count)
    }
}
