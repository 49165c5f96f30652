import Foundation
import LibUV
import Testing

/// Tests of how the controlling side of a pseudo terminal reports that the terminal side has closed.
@Suite(.timeLimit(.minutes(1))) struct PseudoTerminalEndTests {
    /// The bytes and the hang-up can arrive in one event, or the hang-up alone.
    @Test(arguments: [true, false])
    func theLastBytesAreReadBeforeTheEnd(_ isReadingFirst: Bool) throws {
        try withLoop { loop in
            let screen = try PseudoTerminal()
            let controller = try UVTTY(on: loop, descriptor: screen.controller)
            let shown = Collected()
            let bytes = Array("last\n".utf8)
            #expect(unsafe write(screen.terminal, bytes, bytes.count) == bytes.count)
            if isReadingFirst {
                try controller.collect(shown)
                while shown.bytes.count < 6 { try loop.run(.once) }
                #expect(close(screen.terminal) == 0)
            } else {
                #expect(close(screen.terminal) == 0)
                try controller.collect(shown)
            }
            try loop.run()
            #expect(shown.text == "last\r\n")
            #expect(shown.endCount == 1 && shown.failures.isEmpty && shown.closedCount == 1)
        }
    }

    /// Promise of the article "Closures and tasks".
    @Test func aTaskReadsTheEnd() throws {
        try withTask { loop in
            let screen = try PseudoTerminal()
            let connection = try UVConnection(UVTTY(on: loop, descriptor: screen.controller))
            let bytes = Array("last\n".utf8)
            #expect(unsafe write(screen.terminal, bytes, bytes.count) == bytes.count)
            #expect(close(screen.terminal) == 0)
            var received: [UInt8] = []
            while let buffer = try await connection.read() { received += buffer.bytes }
            #expect(received == Array("last\r\n".utf8))
            await connection.close()
        }
    }
}
