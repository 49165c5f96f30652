internal import CLinux
internal import Glibc

/// A child process whose standard output goes to a pipe that this process reads.
///
/// The child shares standard input and standard error with this process. If the child is still running when
/// its `ChildProcess` is destroyed, the child is killed.
public struct ChildProcess: ~Copyable {
    /// The process identifier.
    public let processIdentifier: Int32

    private let output: FileDescriptor
    private let ownsGroup: Bool
    private var pending: [UInt8] = []
    private var exit: Exit?

    /// How a process ended.
    public enum Exit: Hashable, Sendable {
        /// The process exited with this code.
        case code(Int32)
        /// This signal terminated the process.
        case signal(Int32)
    }

    /// Starts a program with an empty signal mask (`posix_spawn`).
    ///
    /// - Parameters:
    ///   - path: the program's file; `PATH` is not searched.
    ///   - arguments: the arguments after the program's name.
    ///   - ownsGroup: whether the child leads a new process group. If so, the child's own children are killed together
    ///     with the child, and signals from the terminal to this process's group do not reach the child.
    ///   - prefix: the prefix of the environment variables that the child does not inherit.
    public init(
        _ path: String, _ arguments: [String], ownsGroup: Bool = false, withoutVariables prefix: String? = nil
    ) throws(SystemCallError) {
        self.ownsGroup = ownsGroup
        var ends: InlineArray<2, Int32> = [-1, -1]
        try system("pipe2") {
            var span = ends.mutableSpan
            return unsafe span.withUnsafeMutableBufferPointer { unsafe pipe2($0.baseAddress, O_CLOEXEC) }
        }
        let readingEnd = FileDescriptor(owning: ends[0])
        let writingEnd = FileDescriptor(owning: ends[1])
        processIdentifier = try ChildProcess.spawn(path, arguments, output: writingEnd.rawValue, ownsGroup, prefix)
        output = readingEnd
    }

    private static func spawn(
        _ path: String, _ arguments: [String], output: Int32, _ ownsGroup: Bool, _ prefix: String?
    ) throws(SystemCallError) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        var mask = sigset_t()
        unsafe sigemptyset(&mask)
        unsafe posix_spawnattr_setsigmask(&attributes, &mask)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = Int16(POSIX_SPAWN_SETSIGMASK) | (ownsGroup ? Int16(POSIX_SPAWN_SETPGROUP) : 0)
        unsafe posix_spawnattr_setflags(&attributes, flags)
        // C strings with the arguments. They must stay allocated until `posix_spawn` returns.
        var words = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var variables = unsafe environment(without: prefix)
        var process: pid_t = 0
        let code = unsafe posix_spawn(&process, path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw SystemCallError(code: code, call: "posix_spawn \(path)") }
        return process
    }

    /// The environment variables that the child inherits, terminated by `nil`.
    private static func environment(without prefix: String?) -> [UnsafeMutablePointer<CChar>?] {
        var variables = unsafe [UnsafeMutablePointer<CChar>?]()
        var next = unsafe environ
        while let variable = unsafe next.pointee {
            if unsafe prefix == nil || strncmp(variable, prefix ?? "", prefix?.utf8.count ?? 0) != 0 {
                unsafe variables.append(variable)
            }
            unsafe next += 1
        }
        unsafe variables.append(nil)
        return unsafe variables
    }

    deinit {
        if ownsGroup { kill(-processIdentifier, SIGKILL) }
        guard exit == nil else { return }
        kill(processIdentifier, SIGKILL)
        var status: Int32 = 0
        while unsafe waitpid(processIdentifier, &status, 0) < 0, errno == EINTR {}
    }

    /// Reads the next line of the child's output, without the newline.
    ///
    /// - Returns: the line, or `nil` if the output has ended or the timeout has passed.
    public mutating func readLine(timeout: Duration) throws(SystemCallError) -> String? {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                defer { pending.removeFirst(end + 1) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            guard try waitUntilReady(output.rawValue, until: deadline) else { return nil }
            let part = try output.read()
            if part.isEmpty { return nil }
            pending += part
        }
    }

    /// Sends SIGTERM to the process, or to its group if it leads one (`kill`).
    public func terminate() { kill(ownsGroup ? -processIdentifier : processIdentifier, SIGTERM) }

    /// Waits until the process has ended (`waitpid`).
    ///
    /// - Returns: how the process ended, or `nil` if the timeout has passed.
    public mutating func wait(timeout: Duration) throws(SystemCallError) -> Exit? {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        while exit == nil {
            var status: Int32 = 0
            if try system("waitpid", { unsafe waitpid(processIdentifier, &status, WNOHANG) }) > 0 {
                exit = status & 0x7F == 0 ? .code(status >> 8 & 0xFF) : .signal(status & 0x7F)
            } else {
                if ContinuousClock.now >= deadline { return nil }
                PosixThread.sleep(.milliseconds(1))
            }
        }
        return exit
    }
}
