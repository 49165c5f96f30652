import Foundation
import Testing

/// A descriptor for the output of a program, whose reader does not read until the test asks for it.
final class StuckReader {
    /// The kind of a descriptor.
    enum Kind: String, CaseIterable { case pipe, fifo, socket, terminal }

    /// The descriptor for the program.
    ///
    /// Its number has two digits, and programs inherit it.
    let writer: Int32
    private let reader: Int32

    /// Makes a descriptor, and fills it until it accepts no further byte.
    init(_ kind: Kind, isFull: Bool = true) throws {
        var ends: [Int32] = [-1, -1]
        switch kind {
        case .pipe: try #require(unsafe pipe(&ends) == 0)
        case .fifo:
            let path = FileManager.default.temporaryDirectory.appending(path: "fifo-\(UUID().uuidString)").path
            try #require(unsafe mkfifo(path, 0o600) == 0)
            defer { unsafe _ = unlink(path) }
            ends = unsafe [open(path, O_RDONLY | O_NONBLOCK), open(path, O_WRONLY)]
        case .socket: try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        case .terminal:
            var (controller, terminal): (Int32, Int32) = (-1, -1)
            try #require(unsafe openpty(&controller, &terminal, nil, nil, nil) == 0)
            ends = [controller, terminal]
        }
        try #require(ends[0] >= 0 && ends[1] >= 0)
        reader = ends[0]
        writer = fcntl(ends[1], F_DUPFD, 20)
        close(ends[1])
        _ = fcntl(reader, F_SETFD, FD_CLOEXEC)
        if isFull { fill() }
    }

    deinit { for number in [reader, writer] { close(number) } }

    /// Whether the description that the program has inherited blocks.
    var isBlocking: Bool { fcntl(writer, F_GETFL) & O_NONBLOCK == 0 }

    func fill() {
        let flags = fcntl(writer, F_GETFL)
        _ = fcntl(writer, F_SETFL, flags | O_NONBLOCK)
        // A terminal moves bytes between its buffers, which makes room again.
        var entry = pollfd(fd: writer, events: Int16(POLLOUT), revents: 0)
        repeat {
            for count in [4096, 256, 1] {
                let bytes = [UInt8](repeating: 0x2E, count: count)
                while unsafe write(writer, bytes, count) > 0 {}
            }
        } while unsafe poll(&entry, 1, 100) == 1
        _ = fcntl(writer, F_SETFL, flags)
    }

    /// Reads everything that has been written, without waiting.
    @discardableResult func readAll() -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while isReadable(within: 0) {
            let count = unsafe read(reader, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer.prefix(count)
        }
        return String(decoding: text, as: UTF8.self).replacing("\r\n", with: "\n")
    }

    /// Reads until the text satisfies a condition.
    func text(until isEnough: (String) -> Bool) throws -> String {
        var text = readAll()
        while !isEnough(text) {
            try #require(isReadable(within: 20_000), "\(text.suffix(500))")
            text += readAll()
        }
        return text
    }

    private func isReadable(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, milliseconds) == 1 && entry.revents & Int16(POLLIN) != 0
    }
}
