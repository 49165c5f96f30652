internal import CLinux
internal import Glibc

/// A descriptor with which any thread can wake a poller (`eventfd`).
public final class WakeUp: Sendable {
    private let descriptor: FileDescriptor

    /// The descriptor's number, readable after a signal; only this value closes it.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Makes a wake-up without a signal.
    public init() throws(SystemCallError) {
        let flags = Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC)
        descriptor = FileDescriptor(owning: try system("eventfd") { eventfd(0, flags) })
    }

    /// Makes the descriptor readable, from any thread or signal handler.
    public func signal() { _ = eventfd_write(descriptor.rawValue, 1) }

    /// Waits for a signal (`poll`).
    ///
    /// - Returns: `false` after the timeout.
    public func wait(timeout: Duration) -> Bool {
        (try? waitUntilReady(rawValue, until: .now.advanced(by: timeout))) ?? false
    }

    /// Makes the descriptor unreadable again.
    public func clear() {
        var count: eventfd_t = 0
        unsafe _ = eventfd_read(descriptor.rawValue, &count)
    }
}
