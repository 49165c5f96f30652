internal import CLibUV

/// A child process (`uv_process_t`).
///
/// **Exit.** The exit closure is called once, when the process has ended and is no longer a zombie. The handle stays
/// open until it is closed.
///
/// **Close.** Closing the handle of a running process does not end the process. Instead, a new thread waits for the
/// process, so that it does not stay a zombie. If `UVLoop.close` closes the handle, it kills the process first
/// (`SIGKILL`), unless the process is detached.
///
/// **SIGCHLD belongs to libuv** once a process has been made. libuv handles the signal and waits for its own children.
/// Do not install a handler, and do not ignore the signal. Other code must call `waitpid` only for specific processes,
/// because a call for any child would also reap libuv's children. Making a process unblocks the signal on the calling
/// thread. Otherwise, if all threads blocked the signal, as the threads of Swift's concurrency runtime do, libuv would
/// not learn that the process has ended.
///
/// **In the child**, all signals have their default actions, and none is blocked. The descriptors in `Options` are
/// open. Descriptors that this library has opened are closed in the child, because they are close-on-exec. A descriptor
/// that other code has opened without close-on-exec is open in the child too; see
/// `Options.marksDescriptorsCloseOnExec`.
public final class UVProcess: UVHandle {
    private var handler: ((UVProcess, Termination) -> Void)?
    /// The tasks that wait for the process to end.
    private var waiting: [ObjectIdentifier: PendingOperation<Termination>] = [:]
    private let leadsGroup: Bool
    private var hasStarted = false

    /// Whether closing the handle kills the process.
    var endsWithHandle = false

    /// How the process has ended, or `nil` until the exit closure is called.
    public private(set) var termination: Termination?

    /// How a process has ended.
    public enum Termination: Hashable, Sendable {
        /// The process exited with a status, where 0 means success.
        case exited(Int)
        /// A signal terminated the process, for example one sent with `kill`.
        case signalled(Int32)
    }

    /// Starts a process (`uv_spawn`).
    ///
    /// The call throws if the program cannot be run. In this case, everything that libuv has opened is closed, and no
    /// zombie remains.
    ///
    /// - Parameters:
    ///   - loop: the loop that reports the end of the process.
    ///   - options: the program to run, and its options.
    ///   - handler: called once when the process has ended, on the loop's thread, unless the handle is closing.
    /// - Throws: `noSuchFile` if the program or the working directory does not exist; `permissionDenied` if the program
    ///   is not executable; `notPermitted` if this process lacks the privilege to set the user or the group;
    ///   `invalidArgument` if a text contains a zero byte, a user is given without a group, a descriptor is invalid, or
    ///   a pipe belongs to another loop; `busy` if a pipe already has a descriptor; `processFileLimit` if no descriptor
    ///   is free; `cancelled` if the loop is closing or closed.
    public init(
        on loop: UVLoop, options: Options, file: StaticString = #fileID, line: UInt = #line,
        onExit handler: @escaping (UVProcess, Termination) -> Void = { _, _ in }
    ) throws(UVError) {
        try loop.checkOpen("uv_spawn")
        // If a descriptor that libuv opens during the start has a number from 0 to 2, libuv aborts this process when it
        // closes the descriptor.
        try StandardDescriptors.open()
        let system = try SystemProcessOptions(options, on: loop)
        if options.marksDescriptorsCloseOnExec { try check(cuv_mark_close_on_exec(), "close_range") }
        ChildSignal.unblock()
        let memory = unsafe UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<uv_process_t>.size, alignment: MemoryLayout<uv_process_t>.alignment)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<uv_process_t>.size)
        let status = unsafe system.spawn(loop.raw, memory.bindMemory(to: uv_process_t.self, capacity: 1))
        self.handler = handler
        leadsGroup = options.isDetached
        unsafe super.init(
            initialised: memory.assumingMemoryBound(to: uv_handle_t.self),
            location: UVSourceLocation(file: file, line: line))
        hasStarted = status >= 0
        if hasStarted { return }
        // libuv has initialised the handle even though the call failed, so the handle must be closed. The handle keeps
        // itself alive until it has closed.
        close()
        throw UVError(code: status, operation: "uv_spawn", detail: options.program)
    }

    /// The identifier of the process (`uv_process_get_pid`).
    ///
    /// Once the process has ended, the system may reuse the identifier.
    public var processID: Int32 { unsafe uv_process_get_pid(cast(to: uv_process_t.self)) }

    /// Sends a signal to the process (`uv_process_kill`).
    ///
    /// - Parameter signal: the signal, for example `SIGTERM`. With 0, the call only checks that the process exists.
    /// - Throws: `noSuchProcess` if the process has ended; `invalidArgument` if the signal is invalid or the handle is
    ///   closing.
    public func kill(_ signal: Int32) throws(UVError) {
        try checkOpen("uv_process_kill")
        guard termination == nil else { throw UVError(.noSuchProcess, operation: "uv_process_kill") }
        try unsafe check(uv_process_kill(cast(to: uv_process_t.self), signal), "uv_process_kill")
    }

    /// Sends a signal to any process, given its identifier (`uv_kill`).
    ///
    /// Callable from any thread.
    ///
    /// - Parameters:
    ///   - processID: the identifier of the process. 0 means this process's group, and a number below -1 means the
    ///     group whose identifier is the absolute value.
    ///   - signal: the signal, for example `SIGTERM`. With 0, the call only checks that the process exists.
    /// - Throws: `noSuchProcess` or `notPermitted`; `invalidArgument` if the signal is invalid.
    public static func kill(processID: Int32, _ signal: Int32) throws(UVError) {
        try check(uv_kill(processID, signal), "uv_kill")
    }

    /// Prevents children of this process from inheriting the descriptors that this process has inherited
    /// (`uv_disable_stdio_inheritance`).
    ///
    /// Call it early in a program, before the program opens files or starts threads.
    public static func disableDescriptorInheritance() { uv_disable_stdio_inheritance() }

    /// Adds a task that waits for the process to end.
    ///
    /// - Returns: a closure that removes the task and cancels its wait.
    func tell(_ operation: PendingOperation<Termination>) -> () -> Void {
        let identity = ObjectIdentifier(operation)
        waiting[identity] = operation
        return { [self, unowned operation] in
            waiting[identity] = nil
            operation.cancel()
        }
    }

    /// Ends the process because no task waits for it any longer.
    ///
    /// - Parameters:
    ///   - signal: the signal to send to the process, or to its process group if the process leads one.
    ///   - grace: the time after which the process is killed if it is still running.
    func abandon(_ signal: Int32, killingAfter grace: Duration) {
        guard hasStarted, !isClosing, termination == nil else { return }
        send(signal)
        guard signal != SIGKILL, let timer = try? UVTimer(on: loop) else { return }
        timer.unref()
        whenClosed { timer.close() }
        try? timer.start(after: grace) { [self] timer in
            timer.close()
            if termination == nil { send(SIGKILL) }
        }
    }

    /// Sends a signal to the process, or to its process group if the process leads one.
    ///
    /// Does nothing if the process has already been reaped (`waitpid`).
    private func send(_ signal: Int32) {
        guard cuv_is_child(processID) != 0 else { return }
        // The call may fail because the process has already ended and needs no signal, or because the process now runs
        // as another user.
        _ = uv_kill(leadsGroup ? -processID : processID, signal)
    }

    func exited(_ status: Int64, _ signal: Int32) {
        let termination: Termination = signal != 0 ? .signalled(signal) : .exited(Int(clamping: status))
        self.termination = termination
        let handler = self.handler
        self.handler = nil
        handler?(self, termination)
        resumeWaiting(.success(termination))
    }

    private func resumeWaiting(_ result: Result<Termination, UVError>) {
        let waiting = self.waiting
        self.waiting = [:]
        for operation in waiting.values { operation.complete(result) }
    }

    override func willClose() {
        guard hasStarted, termination == nil else { return }
        let isLoopClosing = unsafe loop.state.pointee.isClosing
        if endsWithHandle || isLoopClosing && !leadsGroup { send(SIGKILL) }
        ChildReaper.reap(processID)
    }

    override func didClose() {
        handler = nil
        resumeWaiting(.failure(UVError(.cancelled, operation: "uv_spawn")))
    }
}
