internal import CLibUV

/// SIGPIPE, which a write to a connection that the peer has reset raises, and whose default ends the process.
enum BrokenPipeSignal {
    /// Ignores the signal, once, unless the program has set a handler of its own.
    static func ignore() { _ = ignored }

    private static let ignored: Void = cuv_ignore_broken_pipes()
}
