/// The signal SIGPIPE.
///
/// A write to a connection that the peer has reset raises this signal. By default, it terminates the process.
enum BrokenPipeSignal {
    /// Ignores the signal, unless the program has installed a handler.
    ///
    /// The disposition may have changed since an earlier loop was made, so each loop calls this function.
    static func ignore() { SignalDispositions.ignoreBrokenPipes() }
}
