import Glibc
import Logging
import SystemCalls

@testable import Servers

/// The model `io-uring` with rare results of the kernel.
///
/// All tests of the contract also run with these variants.
struct RingVariant: Sendable {
    let name: String
    let completionCount: Int
    let faults: IORing.Faults

    /// The variants, or none under Thread Sanitizer, which makes all tests several times slower.
    ///
    /// The loop of the model has one thread.
    static var all: [RingVariant] { unsafe dlsym(nil, "__tsan_init") == nil ? every : [] }

    private static let every = [
        // Each request to accept or to receive completes only once, and a send sends at most 1000 bytes.
        RingVariant(name: "short", completionCount: 4096) { faults in
            faults.completesOnce = true
            faults.longestSend = 1000
        },
        // The queue of completions overflows, the first requests fail before later ones succeed, and a send sends at most
        // 1000 bytes.
        RingVariant(name: "full", completionCount: 2) { faults in
            faults.errors = [.accept: [24, 12, 103], .receive: [105, 105, 105]]
            faults.longestSend = 1000
        },
    ]

    private init(name: String, completionCount: Int, _ change: (inout IORing.Faults) -> Void) {
        self.name = name
        self.completionCount = completionCount
        var faults = IORing.Faults()
        change(&faults)
        self.faults = faults
    }

    func makeServer(_ configuration: ServerConfiguration, _ logger: Logger) -> any Server {
        RingLoop.server(configuration, logger, completionCount: completionCount, faults: faults)
    }
}
