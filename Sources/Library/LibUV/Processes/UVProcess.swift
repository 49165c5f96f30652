internal import CLibUV

/// A child process (`uv_process_t`).
///
/// **Its end.** The exit closure is called once, with how the process ended; by then it has been waited for, and is
/// no zombie. The handle stays open until it is closed. Closing the handle of a process that runs does not end the
/// process: nobody waits for it then, and once it ends it stays a zombie until this process ends.
///
/// **SIGCHLD belongs to libuv** from the first process on: it handles the signal and waits for its own children. Set
/// no handler of your own, and do not ignore the signal; `waitpid` elsewhere must name its process, or it takes what
/// libuv waits for. The thread that makes a process is made to receive the signal, since libuv hears of no end where
/// every thread blocks it, as those of Swift's concurrency do.
///
/// **In the child** every signal has its default, none is blocked, and only the descriptors that `Options` names are
/// open, as all that this library opens are closed on `exec`.
public final class UVProcess: UVHandle {
    private var handler: ((UVProcess, Termination) -> Void)?
    /// Tasks that wait for the end.
    private var waiting: [PendingOperation<Termination>] = []

    /// How the process ended; `nil` until the exit closure is called.
    public private(set) var termination: Termination?

    /// How a process ended.
    public enum Termination: Hashable, Sendable {
        /// By itself, with a status; 0 means success.
        case exited(Int)
        /// By a signal, as of `kill`.
        case signalled(Int32)
    }

    /// Starts a process (`uv_spawn`).
    ///
    /// A program that cannot be run fails here, and nothing is left behind: what libuv opened is closed, and the
    /// child that could not run it has been waited for.
    ///
    /// - Parameters:
    ///   - loop: the loop that the end is reported on.
    ///   - options: what to run, and how.
    ///   - handler: called once when the process has ended, on the loop's thread; not once the handle is closing.
    /// - Throws: `noSuchFile` where there is no such program or working directory, `permissionDenied` for one that
    ///   is not executable, `notPermitted` for an identity that this process may not give, `invalidArgument` for a
    ///   text with a zero in it, a descriptor that is none or a pipe of another loop, `busy` for a pipe that has a
    ///   descriptor already, `cancelled` on a loop that is closing or closed.
    public init(
        on loop: UVLoop, options: Options, file: StaticString = #fileID, line: UInt = #line,
        onExit handler: @escaping (UVProcess, Termination) -> Void = { _, _ in }
    ) throws(UVError) {
        try loop.checkOpen("uv_spawn")
        let system = try SystemProcessOptions(options, on: loop)
        ChildSignal.unblock()
        let memory = unsafe UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<uv_process_t>.size, alignment: MemoryLayout<uv_process_t>.alignment)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<uv_process_t>.size)
        let status = unsafe system.spawn(loop.raw, memory.bindMemory(to: uv_process_t.self, capacity: 1))
        self.handler = handler
        unsafe super.init(
            initialised: memory.assumingMemoryBound(to: uv_handle_t.self), place: UVSourcePlace(file: file, line: line))
        guard status < 0 else { return }
        // libuv has initialised the handle even so: it must be closed, and keeps itself until it is.
        close()
        throw UVError(code: status, operation: "uv_spawn")
    }

    /// The number of the process (`uv_process_get_pid`); after its end the system may give it to another one.
    public var processID: Int32 { unsafe uv_process_get_pid(cast(to: uv_process_t.self)) }

    /// Sends the process a signal (`uv_process_kill`).
    ///
    /// - Parameter signal: as in `SIGTERM`; 0 only asks whether the process is there.
    /// - Throws: `noSuchProcess` after its end, when the number may be another process' already;
    ///   `invalidArgument` for a number that is no signal, or on a handle that is closing.
    public func kill(_ signal: Int32) throws(UVError) {
        try checkOpen("uv_process_kill")
        guard termination == nil else { throw UVError(.noSuchProcess, operation: "uv_process_kill") }
        try unsafe check(uv_process_kill(cast(to: uv_process_t.self), signal), "uv_process_kill")
    }

    /// Sends a process that this one may have nothing to do with a signal, callable from any thread (`uv_kill`).
    ///
    /// - Parameters:
    ///   - processID: the process; 0 means the own group, and a negative number a group.
    ///   - signal: as in `SIGTERM`; 0 only asks whether the process is there.
    /// - Throws: `noSuchProcess`, `notPermitted`, or `invalidArgument` for a number that is no signal.
    public static func kill(processID: Int32, _ signal: Int32) throws(UVError) {
        try check(uv_kill(processID, signal), "uv_kill")
    }

    /// Keeps the descriptors that this process has inherited from its own children (`uv_disable_stdio_inheritance`).
    ///
    /// Best called early in a program, before it opens anything or has threads.
    public static func disableDescriptorInheritance() { uv_disable_stdio_inheritance() }

    /// Adds a task to those that are told of the end.
    func tell(_ operation: PendingOperation<Termination>) { waiting.append(operation) }

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
        self.waiting = []
        for operation in waiting { operation.complete(result) }
    }

    override func didClose() {
        handler = nil
        resumeWaiting(.failure(UVError(.cancelled, operation: "uv_spawn")))
    }
}
