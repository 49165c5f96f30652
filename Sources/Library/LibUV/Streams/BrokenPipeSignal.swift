internal import CLibUV

/// The signal SIGPIPE.
///
/// A write to a connection that the peer has reset raises it. By default, it terminates the process.
enum BrokenPipeSignal {
    /// Ignores the signal, unless the program has installed a handler.
    ///
    /// Only the first call has an effect.
    static func ignore() { _ = ignored }

    private static let ignored: Void = cuv_ignore_broken_pipes()
}
