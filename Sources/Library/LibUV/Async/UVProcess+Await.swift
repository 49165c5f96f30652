extension UVProcess {
    /// Returns how the process has ended, and suspends until it has ended.
    ///
    /// Any number of tasks can wait, on any executor.
    ///
    /// Cancelling the task ends only the wait, and the process continues. Kill the process if it must not continue.
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
            return try await loop.waitFor("uv_spawn") { operation in tell(operation) }
        }
    }
}

extension UVLoop {
    /// Runs a process and waits until it has ended (`uv_spawn`, `uv_process_kill`).
    ///
    /// Callable on any executor.
    ///
    /// If the task is cancelled, the call sends `signal` to the process and throws immediately. If the process is still
    /// running after `grace`, or when the loop closes, it is killed. Until the process has ended, the loop or a thread
    /// waits for the process, so that it does not stay a zombie. If the process is detached, all signals are sent to
    /// its process group, which includes the process's own children.
    ///
    /// - Parameters:
    ///   - options: the program to run, and its options.
    ///   - signal: the signal to send if the task is cancelled. The default is `SIGKILL`.
    ///   - grace: the time between `signal` and `SIGKILL`.
    /// - Returns: how the process ended.
    /// - Throws: the errors of `UVProcess.init`; `cancelled` if the task is cancelled or the loop closes.
    nonisolated(nonsending) public func runProcess(
        _ options: UVProcess.Options, signalOnCancellation signal: Int32 = 9, killingAfter grace: Duration = .seconds(5)
    ) async throws(UVError) -> UVProcess.Termination {
        guard staysHere() else {
            // The options may refer to pipes, which are used only on the loop's thread.
            nonisolated(unsafe) let options = options
            return try await visit("uv_spawn") { () async throws(UVError) in
                try unsafe await self.runProcess(options, signalOnCancellation: signal, killingAfter: grace)
            }
        }
        return try await waitFor("uv_spawn") { (operation: PendingOperation<UVProcess.Termination>) throws(UVError) in
            let process = try UVProcess(on: self, options: options) { process, termination in
                process.close()
                operation.complete(.success(termination))
            }
            process.endsWithHandle = true
            process.whenClosed { operation.cancel() }
            return {
                process.abandon(signal, killingAfter: grace)
                operation.cancel()
            }
        }
    }

    /// Runs a process with an input, and returns its output when it has ended and its output has been read
    /// (`uv_spawn`, `uv_process_kill`).
    ///
    /// Callable on any executor.
    ///
    /// The child's standard descriptors are pipes. The standard input ends after the last byte of `input`; if `input`
    /// is empty, the standard input is the null device instead. The child need not read its input. The call waits until
    /// the child has ended and both outputs have been closed. If the child's own children have inherited the outputs,
    /// the call also waits until these children have closed them.
    ///
    /// If the call throws while the process is running, the call kills the process (`SIGKILL`), together with the
    /// process group if the process is detached. If the process has already ended and its own children keep its outputs
    /// open, these children are not killed.
    ///
    /// - Parameters:
    ///   - options: the program to run, and its options. The first three of its `descriptors` are replaced.
    ///   - input: the bytes for the child's standard input.
    ///   - limit: the maximum number of bytes to accept from each of the two outputs.
    ///   - timeout: the time limit, or `nil` for no limit.
    /// - Returns: how the process ended, and the bytes that it wrote.
    /// - Throws: the errors of `UVProcess.init`; `noBufferSpace` if the child writes more than `limit` bytes to either
    ///   output; `timedOut` after the time limit; `cancelled` if the task is cancelled or the loop closes.
    nonisolated(nonsending) public func output(
        of options: UVProcess.Options, input: [UInt8] = [], limit: Int = 16 << 20, timeout: Duration? = nil
    ) async throws(UVError) -> UVProcess.Output {
        guard staysHere() else {
            // The options may refer to pipes, which are used only on the loop's thread.
            nonisolated(unsafe) let options = options
            return try await visit("uv_spawn") { () async throws(UVError) in
                try unsafe await self.output(of: options, input: input, limit: limit, timeout: timeout)
            }
        }
        return try await waitFor("uv_spawn") { (operation: PendingOperation<UVProcess.Output>) throws(UVError) in
            let child = CapturedChild(limit: limit, operation)
            try child.start(options, on: self, input: input, timeout: timeout)
            return { child.fail(.cancelled) }
        }
    }
}
