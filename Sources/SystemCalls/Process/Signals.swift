internal import Glibc

/// Signals that a thread waits for, instead of being interrupted by them.
public struct SignalSet: Sendable {
    private var set = sigset_t()

    /// Makes a set of signals, given by their numbers.
    public init(_ numbers: [Int32]) {
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
    }

    /// Blocks the signals in the calling thread and those that it will start (`pthread_sigmask`).
    public func block() {
        var set = self.set
        unsafe _ = pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for one of the signals, which must be blocked (`sigwait`).
    ///
    /// - Returns: the number of the signal that came.
    public func wait() -> Int32 {
        var set = self.set
        var number: Int32 = 0
        while unsafe sigwait(&set, &number) != 0 {}
        return number
    }

    /// The number of the signal that asks a program to stop: SIGTERM.
    public static var terminate: Int32 { SIGTERM }

    /// The number of the signal that the interrupt key sends: SIGINT.
    public static var interrupt: Int32 { SIGINT }
}
