import Glibc
import Testing

@testable import SystemCalls

/// Tests of writing lines without waiting.
@Suite(.timeLimit(.minutes(1))) struct LineOutputTests {
    /// A pipe that no process reads, and an output that writes to it.
    private final class Unread {
        let ends: [Int32]
        let output: LineOutput

        init(opensAgain: Bool = true, isFIFO: Bool) throws {
            var ends: [Int32] = [-1, -1]
            if isFIFO {
                let path = "/tmp/line-output-\(getpid())-\(UInt64.random(in: 0 ... .max))"
                try #require(unsafe mkfifo(path, 0o600) == 0)
                ends = unsafe [open(path, O_RDONLY | O_NONBLOCK), open(path, O_WRONLY)]
                unsafe _ = unlink(path)
            } else {
                try #require(unsafe pipe(&ends) == 0)
            }
            self.ends = ends
            output = LineOutput(ends[1], opensAgain: opensAgain)
        }

        deinit { for number in ends { close(number) } }

        func write(_ line: String) -> Int32 {
            do throws(SystemCallError) {
                try output.write(line) { "\($0) dropped\n" }
                return 0
            } catch { return error.code }
        }

        func read() -> String {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = unsafe Glibc.read(ends[0], &bytes, bytes.count)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
    }

    /// A kernel has `RWF_NOWAIT` for pipes, but not for FIFOs.
    ///
    /// Without a second description, `poll` decides.
    @Test(arguments: [(true, false), (true, true), (false, true), (false, false)])
    func aFullPipeDropsAndCountsLines(_ opensAgain: Bool, _ isFIFO: Bool) throws {
        let unread = try Unread(opensAgain: opensAgain, isFIFO: isFIFO)
        var written = 0
        while unread.write("line \(written)\n") == 0 { written += 1 }
        #expect(written > 1000)
        for _ in 0..<9 { #expect(unread.write("dropped\n") == EAGAIN) }
        #expect(unread.output.droppedCount == 10)
        #expect(unread.read().split(separator: "\n").count == written)
        #expect(unread.write("next\n") == 0)
        #expect(unread.read() == "10 dropped\nnext\n")
        #expect(unread.output.droppedCount == 10)
        #expect(fcntl(unread.ends[1], F_GETFL) & O_NONBLOCK == 0)
    }

    @Test func theNoticeIsWrittenAtTheEndToo() throws {
        let unread = try Unread(isFIFO: false)
        while unread.write("line\n") == 0 {}
        _ = unread.read()
        unread.output.reportDropped { "\($0) dropped\n" }
        #expect(unread.read() == "1 dropped\n")
        unread.output.reportDropped { "\($0) dropped\n" }
        #expect(unread.write("next\n") == 0)
        #expect(unread.read() == "next\n")
    }

    /// Several threads write to a pipe that becomes full.
    @Test(arguments: [(true, false), (false, true)])
    func everyLineIsWrittenOrCounted(_ opensAgain: Bool, _ isFIFO: Bool) throws {
        let unread = try Unread(opensAgain: opensAgain, isFIFO: isFIFO)
        let output = unread.output
        let threads = ThreadGroup()
        for _ in 0..<4 {
            try threads.start { for _ in 0..<5000 { try? output.write("a line\n") { "\($0) dropped\n" } } }
        }
        threads.joinAll()
        let lines = unread.read().split(separator: "\n")
        var reported = 0
        for line in lines where line != "a line" { reported += Int(line.prefix { $0 != " " }) ?? 1 << 40 }
        output.reportDropped { "\($0) dropped\n" }
        reported += Int(unread.read().prefix { $0 != " " }) ?? 0
        #expect(reported == output.droppedCount)
        #expect(lines.count { $0 == "a line" } + output.droppedCount == 20_000)
    }

    /// A socket may accept a part of a line.
    ///
    /// The rest follows before the next line.
    @Test func aLineThatASocketAcceptsInPartIsCompleted() throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for number in ends { close(number) } }
        var size: Int32 = 1
        unsafe _ = setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        let output = LineOutput(ends[1])
        let line = String(repeating: "x", count: 4000) + "\n"
        var (received, written): ([UInt8], Int) = ([], 0)
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        func receive() -> Bool {
            let count = unsafe recv(ends[0], &bytes, bytes.count, Int32(MSG_DONTWAIT))
            received += bytes.prefix(max(0, count))
            return count > 0
        }
        for _ in 0..<50 {
            if (try? output.write(line) { "\($0) dropped\n" }) != nil { written += 1 }
            if Bool.random() { _ = receive() }
        }
        repeat { output.reportDropped { "\($0) dropped\n" } } while receive()
        let lines = String(decoding: received, as: UTF8.self).split(separator: "\n")
        #expect(lines.allSatisfy { $0.utf8.count == 4000 || $0.hasSuffix(" dropped") })
        #expect(lines.count { $0.utf8.count == 4000 } == written)
    }

    @Test func aLongLineIsCut() throws {
        let unread = try Unread(isFIFO: false)
        #expect(unread.write(String(repeating: "é", count: 5000) + "end\n") == 0)
        let line = unread.read()
        #expect(line.utf8.count <= 4096 && line.hasSuffix("éend\n"))
        #expect(line.contains(/é\[\d+ bytes cut\]é/))
    }

    @Test func aTextKeepsItsBeginningAndItsEnd() throws {
        #expect("hello".cut(toByteCount: 64) == "hello")
        for limit in 64..<128 {
            for text in [String(repeating: "👩‍👩‍👧", count: 50), String(repeating: "aé", count: 200)] {
                let cut = text.cut(toByteCount: limit)
                #expect(cut.utf8.count <= limit && !cut.contains("\u{FFFD}"))
                let digits = cut.unicodeScalars.drop { $0 != "[" }.dropFirst().prefix { $0 != " " }
                let number = try #require(Int(String(String.UnicodeScalarView(digits))))
                #expect(cut.utf8.count - "[\(number) bytes cut]".utf8.count + number == text.utf8.count)
            }
        }
    }
}
