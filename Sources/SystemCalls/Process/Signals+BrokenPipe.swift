internal import Glibc

extension SignalSet {
    /// Ignores SIGPIPE in the whole process (`signal`): a write that nobody reads fails instead of ending it.
    public static func ignoreBrokenPipe() { _ = signal(SIGPIPE, SIG_IGN) }
}
