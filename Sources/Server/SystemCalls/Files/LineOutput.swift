internal import CLinux
internal import Glibc
internal import Synchronization

/// An inherited descriptor to which threads write lines without waiting for the reader.
///
/// A line that the descriptor does not accept at once is dropped and counted. Another process may share the open file,
/// so `O_NONBLOCK` is never set on the inherited descriptor.
///
/// | descriptor | call |
/// |---|---|
/// | socket | `send` with `MSG_DONTWAIT` |
/// | pipe | `pwritev2` with `RWF_NOWAIT` (Linux 6.4) |
/// | terminal, FIFO, pipe on an older kernel | `write` to the file, opened again as non-blocking (`/proc/self/fd`) |
/// | terminal, FIFO or pipe that cannot be opened again | `poll`, and `write` if there is room |
/// | regular file, other device | `write`, which only the disk can delay |
final class LineOutput: Sendable {
    private enum Means: Equatable {
        case send
        case pwritev2
        case copy(Int32)
        case poll
        case write
    }

    private struct State {
        var means: Means
        /// The part of a line that the descriptor has not accepted yet.
        var rest: [UInt8] = []
        /// The number of dropped lines that no notice has reported yet.
        var unreportedCount = 0
        /// Whether the last line was dropped.
        var isStuck = false
    }

    private let number: Int32
    private let opensAgain: Bool
    private let state: Monitor<State>
    /// Whether a thread may block while it holds the lock on the state.
    private let mayBlock: Atomic<Bool>
    /// The number of lines that were dropped because another thread held the lock on the state.
    private let contendedCount = Atomic<Int>(0)
    private let count = Atomic<Int>(0)

    /// Chooses the call for a descriptor (`fstat`).
    ///
    /// - Parameter opensAgain: whether the output may open the descriptor's file again.
    init(_ number: Int32, opensAgain: Bool = true) {
        self.number = number
        self.opensAgain = opensAgain
        var status = stat()
        unsafe _ = fstat(number, &status)
        let means: Means =
            switch status.st_mode & S_IFMT {
            case S_IFSOCK: .send
            case S_IFIFO: .pwritev2
            case S_IFCHR where isatty(number) == 1: opensAgain ? LineOutput.openedAgain(number) : .poll
            default: .write
            }
        state = Monitor(State(means: means))
        mayBlock = Atomic(means == .pwritev2 || means == .poll)
    }

    /// The number of lines that were dropped.
    var droppedCount: Int { count.load(ordering: .relaxed) }

    /// Writes a line, or drops and counts it.
    ///
    /// If lines have been dropped since the last notice, the function writes a notice first.
    ///
    /// - Parameters:
    ///   - patience: how long to wait if there is no room. The wait is skipped if the previous line was dropped.
    ///   - notice: returns the line that reports a number of dropped lines.
    func write(
        _ line: String, patience: Duration = .zero, notice: @Sendable (Int) -> String
    ) throws(SystemCallError) {
        let code = locked { state in put(line, patience, notice, &state) }
        if code == 0 { return }
        count.add(1, ordering: .relaxed)
        if code == nil { contendedCount.add(1, ordering: .relaxed) }
        throw SystemCallError(code: code ?? EAGAIN, call: "write")
    }

    /// Writes text that may be lost, for example a progress line.
    ///
    /// The text is dropped if it cannot be written at once.
    func writeDisposable(_ text: String) {
        locked { state in if finish(&state) == 0 { _ = push(Array(text.utf8), &state) } }
    }

    /// Writes the notice, if lines were dropped since the last notice.
    func reportDropped(_ notice: @Sendable (Int) -> String) {
        locked { state in if finish(&state) == 0 { _ = report(notice, &state) } }
    }

    /// Calls `body` with the locked state.
    ///
    /// - Returns: the result of `body`, or `nil` if another thread holds the lock and may block. The other thread
    ///   usually needs only microseconds to write its line, so the calling thread tries to take the lock up to 100
    ///   times.
    @discardableResult
    private func locked<Outcome: Sendable>(_ body: (inout State) -> Outcome) -> Outcome? {
        for _ in 0..<100 {
            guard mayBlock.load(ordering: .acquiring) else { return state.withLock { body(&$0) } }
            if let outcome = state.withLockIfAvailable({ body(&$0) }) { return outcome }
            sched_yield()
        }
        return nil
    }

    /// Writes a notice if one is due, and then the line.
    ///
    /// - Returns: 0 or an error number.
    private func put(
        _ line: String, _ patience: Duration, _ notice: @Sendable (Int) -> String, _ state: inout State
    ) -> Int32 {
        let bytes = Array(LineOutput.limited(line).utf8)
        func writeAll(_ state: inout State) -> Int32 {
            var code = finish(&state)
            if code == 0 { code = report(notice, &state) }
            return code == 0 ? push(bytes, &state) : code
        }
        var code = writeAll(&state)
        if code == EAGAIN, patience > .zero, !state.isStuck, isWritable(within: patience) { code = writeAll(&state) }
        state.isStuck = code != 0
        if code != 0 { state.unreportedCount += 1 }
        return code
    }

    /// Writes the rest of a line that was written in part.
    private func finish(_ state: inout State) -> Int32 {
        guard !state.rest.isEmpty else { return 0 }
        let rest = state.rest
        state.rest = []
        let code = push(rest, &state)
        if code != 0 { state.rest = rest }
        return code == 0 && !state.rest.isEmpty ? EAGAIN : code
    }

    private func report(_ notice: @Sendable (Int) -> String, _ state: inout State) -> Int32 {
        state.unreportedCount += contendedCount.exchange(0, ordering: .relaxed)
        guard state.unreportedCount > 0 else { return 0 }
        let code = push(Array(LineOutput.limited(notice(state.unreportedCount)).utf8), &state)
        if code == 0 { state.unreportedCount = 0 }
        // The notice itself may have been written in part.
        return code == 0 && !state.rest.isEmpty ? EAGAIN : code
    }

    /// Writes bytes, and keeps those that the descriptor has not accepted.
    ///
    /// - Returns: 0 if at least one byte was written, otherwise an error number.
    private func push(_ bytes: [UInt8], _ state: inout State) -> Int32 {
        var result = attempt(bytes, state.means)
        if state.means == .pwritev2 {
            // A container runtime may forbid the call (EPERM).
            if [EOPNOTSUPP, ENOSYS, EINVAL, EPERM].contains(Int32(-result)) {
                state.means = opensAgain ? LineOutput.openedAgain(number) : .poll
                result = attempt(bytes, state.means)
            }
            mayBlock.store(state.means == .poll, ordering: .releasing)
        }
        if result < 0 { return Int32(-result) }
        state.rest = Array(bytes[min(result, bytes.count)...])
        return 0
    }

    /// Makes one attempt to write, and returns the number of written bytes or a negative error number.
    private func attempt(_ bytes: [UInt8], _ means: Means) -> Int {
        if means == .poll, !isWritable(within: .zero) { return Int(-EAGAIN) }
        return unsafe bytes.withUnsafeBytes { buffer in
            switch means {
            case .send: return unsafe clinux_send_at_once(number, buffer.baseAddress, buffer.count)
            case .pwritev2: return unsafe clinux_write_at_once(number, buffer.baseAddress, buffer.count)
            case .copy(let copy): return unsafe clinux_write_once(copy, buffer.baseAddress, buffer.count)
            case .poll, .write: return unsafe clinux_write_once(number, buffer.baseAddress, buffer.count)
            }
        }
    }

    private func isWritable(within timeout: Duration) -> Bool {
        (try? waitUntilReady(number, for: POLLOUT, until: ContinuousClock.now + timeout)) == true
    }

    /// Opens a descriptor's file again in non-blocking mode, or falls back to `poll`.
    ///
    /// The new descriptor stays open until the process exits.
    private static func openedAgain(_ number: Int32) -> Means {
        let copy = unsafe Glibc.open("/proc/self/fd/\(number)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        return copy < 0 ? .poll : .copy(copy)
    }
}

extension LineOutput {
    /// The largest number of bytes in a line (`PIPE_BUF`).
    ///
    /// If several writers share a pipe, the kernel does not mix lines of up to this length.
    static let limit = 4096

    /// Returns a line of at most `limit` bytes, with the middle of a longer line cut out.
    static func limited(_ line: String) -> String { line.cut(toByteCount: limit) }
}
