internal import LibUV

/// Measures the iterations of a loop, on its thread.
final class IterationTimer {
    private let prepare: UVPrepare

    /// Calls `publish` after each iteration that brought bytes.
    ///
    /// libuv runs callbacks within its wait, and measuring the time that it waited costs a system call per iteration.
    /// An iteration is therefore measured from its first bytes to the next wait.
    init(of loop: UVLoop, _ counters: ServerCounters, publish: @escaping () -> Void) throws(UVError) {
        prepare = try UVPrepare(on: loop)
        prepare.unref()
        try prepare.start { _ in
            counters.iterationEnded()
            publish()
        }
    }
}
