#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// SIGPIPE, which a write to a connection that the peer has reset raises, and whose default ends the process.
enum BrokenPipeSignal {
    /// Ignores the signal, once, unless the program has set a handler of its own.
    static func ignore() { _ = ignored }

    private static let ignored: Void = {
        var current = sigaction()
        guard unsafe sigaction(SIGPIPE, nil, &current) == 0 else { return }
        #if canImport(Glibc)
            let isDefault = unsafe current.__sigaction_handler.sa_handler == nil
        #else
            let isDefault = true
        #endif
        if isDefault { _ = signal(SIGPIPE, SIG_IGN) }
    }()
}
