/// The signal SIGPIPE.
///
/// A write to a connection that the peer has reset raises SIGPIPE. By default, this signal terminates the process.
enum BrokenPipeSignal {
    /// Ignores SIGPIPE, unless the program has installed a handler.
    ///
    /// The disposition may have changed since an earlier loop was made, so each loop calls this function.
    static func ignore() { SignalDispositions.ignoreBrokenPipes() }
}
