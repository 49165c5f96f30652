internal import CLibUV

/// A terminal (`uv_tty_t`), read and written as a stream.
///
/// A terminal reads line by line until `setMode` says otherwise. It comes back to its first mode when the stream is
/// closed, when the process exits by `exit` or by the return of `main`, and by `resetMode`, which a handler of a
/// signal that ends the process may call.
///
/// A terminal that hangs up ends, and a write to it fails with `EIO`; the controlling side of a pseudo terminal gets
/// that failure where the other is closed. A terminal cannot be shut down: the completion tells so.
///
/// **Blocking**: the controlling side, and a terminal whose device the process cannot open, are written without
/// regard to the loop, which waits for whoever reads; see `blocksWrites`.
public final class UVTTY: UVStream {
    /// Whether a write waits until the terminal has taken all: libuv could not open the terminal anew.
    public let blocksWrites: Bool

    /// Makes a stream of a terminal (`uv_tty_init`), which closes the descriptor in the end.
    ///
    /// libuv opens the terminal anew where it can, so that not to block is this stream's alone and not of all who
    /// share the descriptor; the one given is then closed at once. Descriptors 0, 1 and 2 are never closed.
    ///
    /// - Parameter descriptor: an open terminal; 0 for standard input where it is one.
    /// - Throws: `notATerminal`, and `badDescriptor`; the descriptor is then still the caller's. `cancelled` on a
    ///   loop that is closing or closed.
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
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
        if descriptor > STDERR_FILENO, !blocksWrites { SystemDescriptor.close(descriptor) }
    }

    private var tty: UnsafeMutablePointer<uv_tty_t> { unsafe cast(to: uv_tty_t.self) }

    /// How a terminal treats what is typed.
    public enum Mode: Hashable, Sendable {
        /// Line by line, with editing and echo, as the terminal was found (`UV_TTY_MODE_NORMAL`).
        case normal
        /// Key by key, without echo; control characters are bytes, and raise no signal (`UV_TTY_MODE_RAW`).
        case raw
        /// Byte by byte, nothing translated either way: for what is no keyboard (`UV_TTY_MODE_IO`).
        case io
    }

    /// The mode that the terminal was set to; `normal` at first.
    public var mode: Mode {
        assertOnThread()
        switch unsafe uv_tty_mode_t(rawValue: UInt32(bitPattern: tty.pointee.mode)) {
        case UV_TTY_MODE_RAW: return .raw
        case UV_TTY_MODE_IO: return .io
        default: return .normal
        }
    }

    /// Sets the mode, once what was written has been sent (`uv_tty_set_mode`).
    ///
    /// - Throws: `invalidArgument` on a terminal that is closing; the code of `tcgetattr` or `tcsetattr`, as `EIO`
    ///   where it has hung up.
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

    /// The size of the terminal's window, in characters (`uv_tty_get_winsize`); the signal SIGWINCH tells of changes.
    ///
    /// - Throws: `invalidArgument` on a stream that is closing, or the code of the system.
    public var windowSize: (columns: Int, rows: Int) {
        get throws(UVError) {
            try checkOpen("uv_tty_get_winsize")
            var (columns, rows): (Int32, Int32) = (0, 0)
            try unsafe check(uv_tty_get_winsize(tty, &columns, &rows), "uv_tty_get_winsize")
            return (Int(columns), Int(rows))
        }
    }

    /// Whether a stream is a terminal whose writes block.
    static func isBlocking(_ stream: UnsafeMutablePointer<uv_stream_t>) -> Bool {
        guard unsafe stream.pointee.type == UV_TTY else { return false }
        return unsafe Trampolines.object(of: stream.pointee.data, as: UVTTY.self)?.blocksWrites ?? false
    }

    override func willClose() {
        super.willClose()
        guard mode != .normal, let descriptor = unsafe try? fileDescriptor(of: raw) else { return }
        // libuv 1.44 would leave the terminal as it is. Not waiting for what was written: it may never be sent.
        unsafe tcsetattr(descriptor, TCSANOW, &tty.pointee.orig_termios)
    }
}

// MARK: - The process and its terminals

extension UVTTY {
    /// Puts the terminal that first left the normal mode back into it (`uv_tty_reset_mode`).
    ///
    /// Callable from any thread and in a signal handler. It happens by itself when the process exits.
    ///
    /// - Throws: `busy` while another thread, or what the signal interrupted, sets a mode; the code of `tcsetattr`
    ///   where that terminal is gone.
    public static func resetMode() throws(UVError) { try check(uv_tty_reset_mode(), "uv_tty_reset_mode") }

    /// Arranges for the reset at exit, once.
    private static let resetsAtExit: Void = { atexit { _ = uv_tty_reset_mode() } }()

    /// Whether Windows' console takes escape sequences by itself (`uv_tty_get_vterm_state`).
    ///
    /// - Throws: `notSupported` elsewhere.
    public static var hasVirtualTerminal: Bool {
        get throws(UVError) {
            var state = UV_TTY_UNSUPPORTED
            try unsafe check(uv_tty_get_vterm_state(&state), "uv_tty_get_vterm_state")
            return state == UV_TTY_SUPPORTED
        }
    }

    /// Says whether Windows' console takes escape sequences by itself (`uv_tty_set_vterm_state`).
    ///
    /// Elsewhere it does nothing.
    public static func setHasVirtualTerminal(_ hasVirtualTerminal: Bool) {
        uv_tty_set_vterm_state(hasVirtualTerminal ? UV_TTY_SUPPORTED : UV_TTY_UNSUPPORTED)
    }
}
