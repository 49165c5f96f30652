import Foundation
import LibUV
import SystemCalls
import Testing

/// Tests of terminals, each with a pseudo terminal of the system.
///
/// docs/behaviours.md lists the pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct TTYTests {
    @Test func linesAreReadAndOutputIsShown() throws {
        try withLoop { loop in
            let screen = try PseudoTerminal()
            let tty = try UVTTY(on: loop, descriptor: screen.terminal)
            #expect(tty.typeName == "tty" && tty.mode == .normal && !tty.blocksWrites)
            #expect(tty.isReadable && tty.isWritable)
            let collected = Collected()
            try tty.collect(collected)
            try screen.type("half")
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(collected.bytes.isEmpty)
            try screen.type(" a line\n")
            while collected.chunkCount < 1 { try loop.run(.once) }
            #expect(collected.text == "half a line\n")
            #expect(try screen.screen(byteCount: 13) == "half a line\r\n")
            var written = 0
            try tty.write(tty.buffer("answer\n")) { result in written += (try? result.get()) == nil ? 100 : 1 }
            while written == 0 { try loop.run(.once) }
            #expect(written == 1)
            #expect(try screen.screen(byteCount: 8) == "answer\r\n")
            tty.close()
            try loop.run()
            #expect(collected.closedCount == 1)
            screen.hangUp()
        }
    }

    /// In the modes `raw` and `io`, each typed byte arrives at once.
    ///
    /// Only the mode `io` leaves the output unchanged.
    @Test(arguments: [(UVTTY.Mode.raw, "\r\n"), (.io, "\n")])
    func keysAreReadOneByOneInRawModes(_ mode: UVTTY.Mode, _ shown: String) throws {
        try withLoop { loop in
            let screen = try PseudoTerminal()
            #expect(screen.isNormal)
            let tty = try UVTTY(on: loop, descriptor: screen.terminal)
            try tty.setMode(mode)
            #expect(tty.mode == mode && !screen.isNormal)
            let collected = Collected()
            try tty.collect(collected)
            try screen.type("a\u{3}")
            while collected.bytes.count < 2 { try loop.run(.once) }
            // Control-C arrives as a byte, and the terminal echoes nothing.
            #expect(collected.bytes == [97, 3])
            #expect(screen.isScreenEmpty)
            try tty.write(tty.buffer("\n"))
            #expect(try screen.screen(byteCount: shown.utf8.count) == shown)
            try tty.setMode(.normal)
            #expect(tty.mode == .normal && screen.isNormal)
            tty.close()
            try loop.run()
            screen.hangUp()
        }
    }

    @Test(arguments: [UVTTY.Mode.raw, .io]) func theCloseBringsTheTerminalBack(_ mode: UVTTY.Mode) throws {
        try withLoop { loop in
            let screen = try PseudoTerminal()
            // The duplicate keeps the terminal open after the stream has closed.
            let held = dup(screen.terminal)
            let tty = try UVTTY(on: loop, descriptor: screen.terminal)
            try tty.setMode(mode)
            #expect(!screen.isNormal)
            tty.close()
            tty.close()
            #expect(screen.isNormal)
            #expect(throws: UVError(.invalidArgument, operation: "uv_tty_set_mode")) { try tty.setMode(.raw) }
            #expect(throws: UVError(.invalidArgument, operation: "uv_tty_get_winsize")) { try tty.windowSize }
            try loop.run()
            #expect(screen.isNormal)
            screen.hangUp()
            close(held)
        }
    }

    @Test func theWindowsSizeIsTold() throws {
        try withLoop { loop in
            let screen = try PseudoTerminal()
            try screen.setWindowSize(columns: 132, rows: 43)
            let tty = try UVTTY(on: loop, descriptor: screen.terminal)
            #expect(try tty.windowSize == (132, 43))
            try screen.setWindowSize(columns: 80, rows: 24)
            #expect(try tty.windowSize == (80, 24))
            tty.close()
            try loop.run()
            screen.hangUp()
        }
    }

    /// Pitfall 28: the stream owns the descriptor that it was given.
    ///
    /// The stream opens the terminal again, and closes the given descriptor at once.
    @Test func theDescriptorIsTakenOver() throws {
        try withLoop { loop in
            let screen = try PseudoTerminal()
            let shared = dup(screen.terminal)
            let tty = try UVTTY(on: loop, descriptor: screen.terminal)
            let own = try tty.withUnsafeDescriptor { $0 }
            #expect(own != screen.terminal)
            // Other descriptors of the same terminal stay in blocking mode.
            #expect(fcntl(shared, F_GETFL) & O_NONBLOCK == 0)
            #expect(fcntl(own, F_GETFL) & O_NONBLOCK != 0)
            tty.close()
            try loop.run()
            #expect(close(shared) == 0)
            screen.hangUp()
        }
    }

    /// Pitfalls 9 and 13: a descriptor that is not a terminal still belongs to the caller, and no handle is left.
    @Test func whatIsNoTerminalIsRefused() throws {
        try withLoop { loop in
            let file = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
            #expect(throws: UVError(.notATerminal, operation: "uv_tty_init")) { try UVTTY(on: loop, descriptor: file) }
            #expect(close(file) == 0)
            let (one, other) = try UVPipe.pair(on: loop)
            let number = try one.withUnsafeDescriptor { $0 }
            #expect(throws: UVError(.notATerminal, operation: "uv_tty_init")) {
                try UVTTY(on: loop, descriptor: number)
            }
            #expect(throws: UVError(.badDescriptor, operation: "uv_tty_init")) { try UVTTY(on: loop, descriptor: -1) }
            one.close()
            other.close()
            try loop.run()
            #expect(!loop.isAlive)
        }
        let loop = try UVLoop()
        try loop.close()
        let screen = try PseudoTerminal()
        #expect(throws: UVError(.cancelled, operation: "uv_tty_init")) {
            try UVTTY(on: loop, descriptor: screen.terminal)
        }
        #expect(close(screen.terminal) == 0)
        screen.hangUp()
    }

    /// Pitfall 15: a terminal that hangs up reports end of stream once, and a write to it is an error.
    @Test func aTerminalThatHangsUpEnds() throws {
        try withLoop { loop in
            let screen = try PseudoTerminal()
            let tty = try UVTTY(on: loop, descriptor: screen.terminal)
            let collected = Collected()
            try tty.collect(collected) { _ in }
            screen.hangUp()
            while collected.endCount == 0 { try loop.run(.once) }
            var failures: [String] = []
            try tty.write(tty.buffer("x")) { result in
                if case .failure(let error) = result { failures.append(error.name) }
                tty.close()
            }
            try loop.run()
            #expect(failures == ["EIO"])
            #expect(collected.endCount == 1 && collected.closedCount == 1 && collected.failures.isEmpty)
        }
    }

    /// Tests pitfall 17 of docs/behaviours.md.
    @Test func aTerminalCannotBeShutDown() throws {
        try withLoop { loop in
            let screen = try PseudoTerminal()
            let tty = try UVTTY(on: loop, descriptor: screen.terminal)
            var names: [String] = []
            try tty.shutdown { result in
                if case .failure(let error) = result { names.append(error.name) }
                tty.close()
            }
            try loop.run()
            #expect(names == ["ENOTSOCK"])
            screen.hangUp()
        }
    }

    /// Pitfall 27: the controlling side cannot be opened again, so writes to it block.
    @Test func theControllingSideIsAStreamToo() throws {
        try withLoop { loop in
            let screen = try PseudoTerminal()
            let controller = try UVTTY(on: loop, descriptor: screen.controller)
            let tty = try UVTTY(on: loop, descriptor: screen.terminal)
            #expect(controller.blocksWrites && !tty.blocksWrites)
            let (shown, typed) = (Collected(), Collected())
            try controller.collect(shown)
            try tty.collect(typed)
            try controller.write(controller.buffer("typed\n"))
            // Waits for the kernel's echo, which could otherwise mix with the text that is written next.
            while typed.bytes.count < 6 || shown.bytes.count < 7 { try loop.run(.once) }
            try tty.write(tty.buffer("shown\n"))
            while shown.bytes.count < 14 { try loop.run(.once) }
            #expect(typed.text == "typed\n")
            #expect(shown.text == "typed\r\nshown\r\n")
            tty.close()
            // When the terminal side closes, libuv before 1.52.2 reports EIO to the controlling side.
            try loop.run()
            #expect(shown.failures.isEmpty && shown.endCount == 1 && shown.closedCount == 1)
        }
    }

    /// A write that follows a failed write on a blocking terminal is rejected.
    ///
    /// Runs in its own process, because libuv would abort the process if the library did not reject the write.
    @Test func aWriteBehindAFailureOnATerminalThatBlocksIsRefused() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            let screen = try PseudoTerminal()
            let limit = try DescriptorLimit.current().soft
            // No descriptor is free. The stream cannot open the terminal again, and its writes block.
            try DescriptorLimit.set(soft: 0)
            let tty = try UVTTY(on: loop, descriptor: screen.terminal)
            try DescriptorLimit.set(soft: limit)
            #expect(tty.blocksWrites)
            screen.hangUp()
            let record = Record()
            try tty.write(tty.buffer("fails")) { result in
                if case .failure(let error) = result { record.note(error.name) }
            }
            #expect(throws: UVError(.brokenPipe, operation: "uv_write")) {
                try tty.write(tty.buffer("refused")) { _ in record.note("called") }
            }
            tty.close { record.note("closed") }
            try loop.run()
            #expect(record.events == ["EIO", "closed"])
            #expect(loop.statistics.buffers.inFlight == 0 && loop.statistics.buffers.held == 0)
            try loop.close()
        }
    }

    /// Runs in its own process, because only the first terminal of a process is reset.
    @Test func theResetBringsTheFirstTerminalBack() async {
        await #expect(processExitsWith: .success) {
            try UVTTY.resetMode()
            let loop = try UVLoop()
            let screen = try PseudoTerminal()
            let tty = try UVTTY(on: loop, descriptor: screen.terminal)
            try tty.setMode(.raw)
            try UVTTY.resetMode()
            #expect(screen.isNormal)
            try loop.close()
        }
    }

    @Test func theExitBringsTheTerminalBack() async throws {
        let screen = try PseudoTerminal()
        var name = [CChar](repeating: 0, count: 256)
        try #require(unsafe ttyname_r(screen.terminal, &name, name.count) == 0)
        let path = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        await #expect(processExitsWith: .exitCode(3)) { [path = path as String] in
            let tty = try UVTTY(on: try UVLoop(), descriptor: unsafe open(path, O_RDWR | O_NOCTTY))
            try tty.setMode(.raw)
            exit(tty.mode == .raw ? 3 : 4)
        }
        #expect(screen.isNormal)
        #expect(close(screen.terminal) == 0)
        screen.hangUp()
    }

    @Test func theVirtualTerminalIsWindows() throws {
        UVTTY.setHasVirtualTerminal(true)
        #expect(throws: UVError(.notSupported, operation: "uv_tty_get_vterm_state")) { try UVTTY.hasVirtualTerminal }
    }
}
