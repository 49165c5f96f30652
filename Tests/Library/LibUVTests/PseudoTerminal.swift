import CLibUV
import Foundation
import Testing

/// A pseudo terminal.
///
/// The test acts as its screen and its keyboard.
struct PseudoTerminal {
    /// The descriptor of the controlling side.
    ///
    /// Through this descriptor, the test types and reads the screen.
    let controller: Int32
    /// The descriptor of the terminal side, which a program uses.
    let terminal: Int32

    init() throws {
        var (controller, terminal): (Int32, Int32) = (-1, -1)
        try #require(unsafe openpty(&controller, &terminal, nil, nil, nil) == 0)
        for descriptor in [controller, terminal] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        self.controller = controller
        self.terminal = terminal
    }

    /// Types the text.
    func type(_ text: String) throws {
        let bytes = Array(text.utf8)
        try #require(unsafe write(controller, bytes, bytes.count) == bytes.count)
    }

    /// Waits until the screen shows this many bytes, and returns them.
    func screen(byteCount: Int) throws -> String {
        var shown: [UInt8] = []
        while shown.count < byteCount {
            var entry = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
            try #require(unsafe poll(&entry, 1, 10_000) == 1, "the screen shows \(shown) only")
            var buffer = [UInt8](repeating: 0, count: 1024)
            let count = unsafe read(controller, &buffer, buffer.count)
            try #require(count > 0)
            shown += buffer.prefix(count)
        }
        return String(decoding: shown, as: UTF8.self)
    }

    /// Whether the test has read everything that the screen shows.
    var isScreenEmpty: Bool {
        var entry = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, 0) == 0
    }

    /// Whether the terminal reads line by line and echoes input.
    var isNormal: Bool {
        var attributes = termios()
        guard unsafe tcgetattr(controller, &attributes) == 0 else { return false }
        let flags = tcflag_t(ICANON) | tcflag_t(ECHO)
        return attributes.c_lflag & flags == flags
    }

    func setWindowSize(columns: UInt16, rows: UInt16) throws {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(unsafe ioctl(controller, UInt(TIOCSWINSZ), &size) == 0)
    }

    /// Closes the controlling side, so that the terminal hangs up.
    func hangUp() { _ = close(controller) }
}
