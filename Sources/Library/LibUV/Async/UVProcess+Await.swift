extension UVProcess {
    /// How the process ends, or has ended; to be awaited on the loop, by any number of tasks.
    ///
    /// A task that is cancelled leaves the process to itself, and only stops waiting: kill the process where it is not
    /// to go on.
    ///
    /// - Throws: `cancelled` where the task is cancelled, or the handle is closed before the process ends.
    nonisolated(nonsending) public var exitStatus: Termination {
        get async throws(UVError) {
            if let termination { return termination }
            if isClosing { throw UVError(.cancelled, operation: "uv_spawn") }
            return try await loop.waitFor("uv_spawn") { operation in
                tell(operation)
                return nil
            }
        }
    }
}

extension UVLoop {
    /// Runs a process to its end (`uv_spawn`, `uv_process_kill`); to be awaited on the loop.
    ///
    /// The process does not outlive the waiting: where the task is cancelled, it is sent a signal, and waited for by
    /// the loop, while the task goes on at once. One that ignores the signal goes on.
    ///
    /// - Parameters:
    ///   - options: what to run, and how.
    ///   - signal: what to send where the task is cancelled; `SIGKILL` by default.
    /// - Returns: how the process ended.
    /// - Throws: what `UVProcess.init` throws; `cancelled` where the task is cancelled or the loop closes.
    nonisolated(nonsending) public func runProcess(
        _ options: UVProcess.Options, signalOnCancellation signal: Int32 = 9
    ) async throws(UVError) -> UVProcess.Termination {
        let process = try UVProcess(on: self, options: options) { process, _ in process.close() }
        do { return try await process.exitStatus } catch {
            // It may have ended by itself: then there is nothing to send.
            try? process.kill(signal)
            throw error
        }
    }
}
