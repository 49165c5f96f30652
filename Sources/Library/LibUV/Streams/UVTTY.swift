internal import CLibUV

/// A terminal as a stream (`uv_tty_t`).
///
/// A terminal is read line by line, unless `setMode` sets another mode. When the stream is closed, the library restores
/// the terminal's original mode. When the process exits through `exit` or by returning from `main`, the library calls
/// `resetMode`, which restores the mode of one terminal. A signal handler that terminates the process can call
/// `resetMode` too.
///
/// After a hang-up, reading reports the end of the stream, and writes fail with `EIO`. The controlling side of a pseudo
/// terminal also reports the end of the stream when all descriptors of the terminal side have been closed. A terminal
/// cannot be shut down; `shutdown` passes an error to its completion.
///
/// **Blocking**: if the stream is the controlling side, or if the process cannot open the terminal's device, writes
/// block the loop until the bytes are read; see `blocksWrites`.
public final class UVTTY: UVStream {
    /// Whether a write blocks until the terminal has accepted all bytes, because libuv could not reopen the terminal.
    public let blocksWrites: Bool

    /// Makes a stream that takes ownership of a terminal's descriptor (`uv_tty_init`).
    ///
    /// If possible, libuv reopens the terminal, so that the given descriptor does not become non-blocking for other
    /// processes that share it. In that case, the library closes the given descriptor immediately. It never closes the
    /// descriptors 0, 1 and 2.
    ///
    /// - Parameter descriptor: the descriptor of an open terminal, for example 0 for standard input.
    /// - Throws: `notATerminal`; `badDescriptor`; `cancelled` if the loop is closing or closed. If the call throws, the
    ///   caller still owns the descriptor.
    public init(
        on loop: UVLoop, descriptor: Int32, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        guard UVDescriptorKind(of: descriptor) == .tty else {
            throw UVError(
                SystemDescriptor.isOpen(descriptor) ? .notATerminal : .badDescriptor, operation: "uv_tty_init")
        }
        let raw = try unsafe makeHandle(
            uv_tty_t.self, on: loop, "uv_tty_init", roomBefore: UVStream.roomBefore
        ) { unsafe uv_tty_init($0, $1, descriptor, 0) }
        blocksWrites = unsafe (try? fileDescriptor(of: raw)) == descriptor
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
        if descriptor > STDERR_FILENO, !blocksWrites { SystemDescriptor.close(descriptor) }
    }

    private var tty: UnsafeMutablePointer<uv_tty_t> { unsafe cast(to: uv_tty_t.self) }

    /// The mode in which a terminal handles typed characters.
    public enum Mode: Hashable, Sendable {
        /// The original mode of the terminal, usually line by line with editing and echo (`UV_TTY_MODE_NORMAL`).
        case normal
        /// Key by key, without echo. Control characters are read as bytes and raise no signals (`UV_TTY_MODE_RAW`).
        case raw
        /// Byte by byte, without any translation. This mode is for devices other than keyboards (`UV_TTY_MODE_IO`).
        case io
    }

    /// The mode that was set last, or `normal` if none was set.
    public var mode: Mode {
        assertOnThread()
        switch unsafe uv_tty_mode_t(rawValue: UInt32(bitPattern: tty.pointee.mode)) {
        case UV_TTY_MODE_RAW: return .raw
        case UV_TTY_MODE_IO: return .io
        default: return .normal
        }
    }

    /// Sets the mode, after all written bytes have been sent (`uv_tty_set_mode`).
    ///
    /// - Throws: `invalidArgument` if the stream is closing; another error if `tcgetattr` or `tcsetattr` fails, for
    ///   example `EIO` after a hang-up.
    public func setMode(_ mode: Mode) throws(UVError) {
        try checkOpen("uv_tty_set_mode")
        let raw =
            switch mode {
            case .normal: UV_TTY_MODE_NORMAL
            case .raw: UV_TTY_MODE_RAW
            case .io: UV_TTY_MODE_IO
            }
        if mode != .normal { UVTTY.resetsAtExit }
        try unsafe check(uv_tty_set_mode(tty, raw), "uv_tty_set_mode")
    }

    /// The size of the terminal's window in characters (`uv_tty_get_winsize`).
    ///
    /// The signal SIGWINCH reports that the size has changed.
    ///
    /// - Throws: `invalidArgument` if the stream is closing; otherwise a system error.
    public var windowSize: (columns: Int, rows: Int) {
        get throws(UVError) {
            try checkOpen("uv_tty_get_winsize")
            var (columns, rows): (Int32, Int32) = (0, 0)
            try unsafe check(uv_tty_get_winsize(tty, &columns, &rows), "uv_tty_get_winsize")
            return (Int(columns), Int(rows))
        }
    }

    /// Returns whether a stream is a terminal whose writes block.
    static func isBlocking(_ stream: UnsafeMutablePointer<uv_stream_t>) -> Bool {
        guard unsafe stream.pointee.type == UV_TTY else { return false }
        return unsafe Trampolines.object(of: stream.pointee.data, as: UVTTY.self)?.blocksWrites ?? false
    }

    /// Returns whether a read error means that the terminal side of a pseudo terminal has closed.
    ///
    /// When the terminal side has closed, Linux reports `EIO` to the controlling side. Some versions of libuv pass on
    /// this error, and others report the end of the stream.
    static func isEnd(_ code: Int, of stream: UnsafeMutablePointer<uv_stream_t>) -> Bool {
        guard unsafe code == Int(UV_EIO.rawValue) && stream.pointee.type == UV_TTY,
            let descriptor = unsafe try? fileDescriptor(of: cuv_handle_of_stream(stream))
        else { return false }
        return cuv_is_pseudo_terminal_controller(descriptor) != 0
    }

    override func willClose() {
        super.willClose()
        guard mode != .normal, let descriptor = unsafe try? fileDescriptor(of: raw) else { return }
        // libuv 1.44 does not restore the mode. This call does not wait for written bytes, because they may never be
        // sent.
        unsafe tcsetattr(descriptor, TCSANOW, &tty.pointee.orig_termios)
    }
}

// MARK: - The process and its terminals

extension UVTTY {
    /// Restores the original mode of one terminal, the one whose mode this process changed first (`uv_tty_reset_mode`).
    ///
    /// Callable from any thread and from a signal handler. The library makes this call automatically when the process
    /// exits.
    ///
    /// - Throws: `busy` if another thread is setting a mode, or if the calling signal handler has interrupted code that
    ///   sets a mode; another error if `tcsetattr` fails, for example because the terminal no longer exists.
    public static func resetMode() throws(UVError) { try check(uv_tty_reset_mode(), "uv_tty_reset_mode") }

    /// Registers the reset to run at exit.
    ///
    /// Evaluating this property registers it once.
    private static let resetsAtExit: Void = { atexit { _ = uv_tty_reset_mode() } }()

    /// Whether the Windows console interprets escape sequences itself (`uv_tty_get_vterm_state`).
    ///
    /// - Throws: `notSupported` on other systems.
    public static var hasVirtualTerminal: Bool {
        get throws(UVError) {
            var state = UV_TTY_UNSUPPORTED
            try unsafe check(uv_tty_get_vterm_state(&state), "uv_tty_get_vterm_state")
            return state == UV_TTY_SUPPORTED
        }
    }

    /// Sets whether libuv assumes that the Windows console interprets escape sequences itself
    /// (`uv_tty_set_vterm_state`).
    ///
    /// On other systems, the call has no effect.
    public static func setHasVirtualTerminal(_ hasVirtualTerminal: Bool) {
        uv_tty_set_vterm_state(hasVirtualTerminal ? UV_TTY_SUPPORTED : UV_TTY_UNSUPPORTED)
    }
}
