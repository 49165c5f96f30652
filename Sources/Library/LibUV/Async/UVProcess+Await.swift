extension UVProcess {
    /// Returns how the process has ended, and suspends until it has ended.
    ///
    /// Any number of tasks can wait, on any executor.
    ///
    /// Cancelling the task only ends the wait, and the process continues. Kill the process if it must not continue.
    ///
    /// - Throws: `cancelled` if the task is cancelled, or if the handle is closed before the process has ended.
    nonisolated(nonsending) public var exitStatus: Termination {
        get async throws(UVError) {
            guard loop.isRunningHere else {
                // The process is used only on the loop's thread.
                nonisolated(unsafe) let process = self
                return try await loop.visit("uv_spawn") { () async throws(UVError) in
                    try unsafe await process.exitStatus
                }
            }
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
    /// Runs a process and waits until it has ended (`uv_spawn`, `uv_process_kill`).
    ///
    /// Callable on any executor.
    ///
    /// If the task is cancelled, the process gets a signal, and the task continues immediately. The loop then waits for
    /// the process. A process that ignores the signal continues to run.
    ///
    /// - Parameters:
    ///   - options: the program to run, and its options.
    ///   - signal: the signal to send if the task is cancelled. The default is `SIGKILL`.
    /// - Returns: how the process ended.
    /// - Throws: the errors of `UVProcess.init`; `cancelled` if the task is cancelled or the loop closes.
    nonisolated(nonsending) public func runProcess(
        _ options: UVProcess.Options, signalOnCancellation signal: Int32 = 9
    ) async throws(UVError) -> UVProcess.Termination {
        guard staysHere() else {
            // The options may refer to pipes, which are used only on the loop's thread.
            nonisolated(unsafe) let options = options
            return try await visit("uv_spawn") { () async throws(UVError) in
                try unsafe await self.runProcess(options, signalOnCancellation: signal)
            }
        }
        let process = try UVProcess(on: self, options: options) { process, _ in process.close() }
        do { return try await process.exitStatus } catch {
            // This fails if the process has already ended, and needs no signal then.
            try? process.kill(signal)
            throw error
        }
    }
}
