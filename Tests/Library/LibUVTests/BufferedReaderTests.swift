import LibUV
import Testing

/// Tests of reading items from a byte stream.
///
/// Most tests cut the input at every position, because a stream may deliver its bytes in any pieces.
@Suite(.timeLimit(.minutes(1))) struct BufferedReaderTests {
    /// Reads items from `input` in two pieces for every cut, then in pieces of one byte.
    private func everywhere(
        _ input: [UInt8], _ body: @escaping @Sendable (UVBufferedReader) async throws -> Void
    ) throws {
        try withTask { loop async throws in
            for cut in 0...input.count {
                let stream = PieceStream([Array(input[..<cut]), Array(input[cut...])], on: loop)
                try await body(UVBufferedReader(stream))
            }
            try await body(UVBufferedReader(PieceStream(input.map { [$0] }, on: loop)))
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test func linesEndWithEitherTerminatorAndTheLastOneWithNone() throws {
        try everywhere(Array("one\ntwo\r\n\n\r\nca\rr\r\r\nend\r".utf8)) { reader async throws in
            var lines: [String] = []
            for try await line in reader.lines { lines.append(line) }
            #expect(lines == ["one", "two", "", "", "ca\rr\r", "end\r"])
            #expect(try await reader.line() == nil)
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test func anEmptyStreamHasNoItems() throws {
        try everywhere([]) { reader async throws in
            #expect(try await reader.line() == nil)
            #expect(try await reader.until([0]) == nil)
            #expect(try await reader.bytes() == nil)
            #expect(try await reader.exactly(0) == [])
            let message: Int? = try await reader.message { _ in nil }
            #expect(message == nil)
            await #expect(throws: UVReadError.endOfStream(received: 0, expected: 2)) { try await reader.exactly(2) }
        }
    }

    /// Promises of the articles "Errors" and "Reading lines and messages".
    @Test func invalidTextInALineIsRepairedAndItsBytesAreThere() throws {
        let input: [UInt8] = [0x61, 0xFF, 0x62, 10, 0xC3, 10, 0x00, 0xF0, 0x9F, 0x8E, 0x89, 10]
        try everywhere(input) { reader async throws in
            #expect(try await reader.line() == "a\u{FFFD}b")
            let bytes = try await reader.withLine { [UInt8](copying: $0) }
            #expect(bytes == [0xC3])
            #expect(try await reader.line() == "\0🎉")
            #expect(try await reader.line() == nil)
        }
    }

    /// A line of `limit` bytes is allowed with every terminator, and one more byte is not.
    ///
    /// Promise of the article "Reading lines and messages".
    @Test(arguments: ["\n", "\r\n", ""]) func theLimitOfALineExcludesItsTerminator(_ terminator: String) throws {
        for limit in [0, 1, 5] {
            let text = String(repeating: "x", count: limit)
            try everywhere(Array((text + terminator).utf8)) { reader async throws in
                let expected = limit == 0 && terminator.isEmpty ? nil : text
                #expect(try await reader.line(limit: limit) == expected)
                #expect(try await reader.line(limit: limit) == nil)
            }
            let tooLong = text + "x" + terminator
            try everywhere(Array(tooLong.utf8)) { reader async throws in
                await #expect(throws: UVReadError.limitExceeded(limit: limit)) { try await reader.line(limit: limit) }
                // The line is still there.
                #expect(try await reader.line(limit: limit + 1) == text + "x")
            }
        }
        // A CR after the limit that no LF follows belongs to the line.
        for input in ["abc\rx\n", "abc\r"] {
            try everywhere(Array(input.utf8)) { reader async throws in
                await #expect(throws: UVReadError.limitExceeded(limit: 3)) { try await reader.line(limit: 3) }
            }
        }
    }

    @Test func extremeLimitsAreClamped() throws {
        try everywhere(Array("ab\ncd\nef\n\n".utf8)) { reader async throws in
            #expect(try await reader.line(limit: .max) == "ab")
            #expect(try await reader.until(10, limit: .max) == Array("cd".utf8))
            await #expect(throws: UVReadError.limitExceeded(limit: 0)) { try await reader.line(limit: .min) }
            await #expect(throws: UVReadError.self) { try await reader.until(10, limit: .min) }
            #expect(try await reader.bytes(upTo: .min) == Array("e".utf8))
            #expect(try await reader.line(limit: .max) == "f")
            #expect(try await reader.line(limit: .min) == "")
        }
    }

    /// Promises of the articles "Errors" and "Reading lines and messages".
    @Test func exactlyReturnsThatManyBytesOrSaysHowManyThereWere() throws {
        try everywhere(Array(0..<9)) { reader async throws in
            #expect(try await reader.exactly(4) == [0, 1, 2, 3])
            #expect(try await reader.exactly(0) == [])
            #expect(try await reader.exactly(2) == [4, 5])
            await #expect(throws: UVReadError.endOfStream(received: 3, expected: 4)) { try await reader.exactly(4) }
            await #expect(throws: UVError(.invalidArgument, operation: "UVBufferedReader.exactly")) {
                try await reader.exactly(-1)
            }
            #expect(try await reader.exactly(3) == [6, 7, 8])
            #expect(try await reader.bytes() == nil)
        }
    }

    /// Parts of a delimiter also occur within the items.
    ///
    /// Promise of the article "Reading lines and messages".
    @Test func untilFindsADelimiterOfSeveralBytes() throws {
        try everywhere(Array("a\r\n\rb\r\n\r\n\r\n\r\nc\r\n\r".utf8)) { reader async throws in
            let delimiter = Array("\r\n\r\n".utf8)
            #expect(try await reader.until(delimiter) == Array("a\r\n\rb".utf8))
            #expect(try await reader.until(delimiter) == [])
            await #expect(throws: UVReadError.endOfStream(received: 4, expected: nil)) {
                try await reader.until(delimiter)
            }
            await #expect(throws: UVError(.invalidArgument, operation: "UVBufferedReader.until")) {
                try await reader.until([])
            }
            #expect(try await reader.bytes() == Array("c\r\n\r".utf8))
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test(arguments: ["|", "|-", "|-|-"]) func theLimitOfUntilExcludesTheDelimiter(_ delimiter: String) throws {
        let delimiter = Array(delimiter.utf8)
        for limit in [0, 1, 4] {
            let item = [UInt8](repeating: 120, count: limit)
            try everywhere(item + delimiter + delimiter) { reader async throws in
                #expect(try await reader.until(delimiter, limit: limit) == item)
                #expect(try await reader.until(delimiter, limit: limit) == [])
                #expect(try await reader.until(delimiter, limit: limit) == nil)
            }
            try everywhere(item + [120] + delimiter) { reader async throws in
                await #expect(throws: UVReadError.limitExceeded(limit: limit)) {
                    try await reader.until(delimiter, limit: limit)
                }
                #expect(try await reader.until(delimiter, limit: limit + 1) == item + [120])
            }
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test func messagesArePipelinedAndCutAnywhere() throws {
        // Each message has its length in its first byte.
        try everywhere([2, 10, 11, 0, 3, 12, 13, 14, 5, 1, 2]) { reader async throws in
            @Sendable func parse(_ bytes: Span<UInt8>) -> ([UInt8], used: Int)? {
                let end = Int(bytes[0]) + 1
                return bytes.count < end ? nil : ([UInt8](copying: bytes.extracting(1..<end)), used: end)
            }
            #expect(try await reader.message(limit: 3, parse) == [10, 11])
            #expect(try await reader.message(limit: 3, parse) == [])
            await #expect(throws: UVReadError.limitExceeded(limit: 3)) { try await reader.message(limit: 3, parse) }
            #expect(try await reader.message(limit: 4, parse) == [12, 13, 14])
            await #expect(throws: UVReadError.endOfStream(received: 3, expected: nil)) {
                try await reader.message(parse)
            }
            #expect(try await reader.exactly(3) == [5, 1, 2])
            #expect(try await reader.message(parse) == nil)
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test func anErrorOfTheParserLeavesTheBytes() throws {
        struct Wrong: Error {}
        try everywhere(Array("abc".utf8)) { reader async throws in
            await #expect(throws: Wrong.self) {
                try await reader.message { (bytes) throws -> (Int, used: Int)? in throw Wrong() }
            }
            for used in [-1, 4] {
                await #expect(throws: UVError(.invalidArgument, operation: "UVBufferedReader.message")) {
                    try await reader.message { bytes in bytes.count < 3 ? nil : ((), used: used) }
                }
            }
            #expect(try await reader.exactly(3) == Array("abc".utf8))
        }
    }

    @Test func anErrorOfTheLinesBodyConsumesTheLine() throws {
        struct Wrong: Error {}
        try everywhere(Array("a\nb\n".utf8)) { reader async throws in
            await #expect(throws: Wrong.self) { try await reader.withLine { _ in throw Wrong() } }
            #expect(try await reader.line() == "b")
        }
    }

    /// The outcome of `withLine` may be a buffer, which cannot be copied.
    ///
    /// Promise of the article "Reading lines and messages".
    @Test func aLineBecomesABufferThatIsWritten() throws {
        try withTask { loop async throws in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await client.write("hello\nrest")
            try await client.shutdown()
            let reader = UVBufferedReader(server)
            if let buffer = try await reader.withLine({ loop.makeBuffer(copying: $0) }) {
                try await server.write(buffer)
            }
            #expect(try await reader.bytes() == Array("rest".utf8))
            try await server.shutdown()
            #expect(try await client.readAll() == Array("hello".utf8))
            await client.close()
            await server.close()
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test func itemsOfDifferentKindsFollowEachOther() throws {
        try everywhere(Array("POST /\r\nlength: 3\r\n\r\nabcGET /\r\n\r\n".utf8)) { reader async throws in
            #expect(try await reader.line() == "POST /")
            #expect(try await reader.line() == "length: 3")
            #expect(try await reader.line() == "")
            #expect(try await reader.exactly(3) == Array("abc".utf8))
            #expect(try await reader.until(Array("\r\n\r\n".utf8)) == Array("GET /".utf8))
            #expect(try await reader.line() == nil)
        }
    }

    /// If each byte caused a scan or a copy of all earlier ones, this would take many minutes.
    @Test func bytesThatArriveOneByOneHaveALinearCost() throws {
        try withTask { loop async throws in
            let count = 400_000
            let input = [UInt8](repeating: 120, count: count) + [13, 10]
            let line = try await UVBufferedReader(PieceStream(bytes: input, on: loop)).line(limit: count)
            #expect(line?.utf8.count == count)
            let item = try await UVBufferedReader(PieceStream(bytes: input, on: loop)).until([13, 10], limit: count)
            #expect(item?.count == count)
            let all = try await UVBufferedReader(PieceStream(bytes: input, on: loop)).exactly(count + 2)
            // If arrays of this size differed, describing the difference would take minutes.
            let isEqual = all == input
            #expect(isEqual)
            // Many short items in large pieces must not move the rest of the piece for each item.
            let piece = Array(String(repeating: "a\n", count: count).utf8)
            let lines = UVBufferedReader(PieceStream([piece], on: loop)).lines
            #expect(try await lines.reduce(0) { sum, _ in sum + 1 } == count)
        }
    }

    @Test func aReaderHoldsNoBufferOnceItsItemsAreTaken() throws {
        try withTask { loop async throws in
            let reader = UVBufferedReader(PieceStream([Array("a\nb".utf8), Array("c\n".utf8)], on: loop))
            #expect(try await reader.line() == "a")
            #expect(loop.statistics.buffers.held == 1)
            #expect(try await reader.line() == "bc")
            #expect(loop.statistics.buffers.held == 0)
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test func aCancelledCallKeepsTheBytesOfItsItem() throws {
        try withTask { loop async throws in
            let (client, server) = try await UVConnection.pair(on: loop)
            let reader = UVBufferedReader(server)
            for (index, byte) in "abcdef".utf8.enumerated() {
                try await client.write([byte])
                let call = Task(executorPreference: loop) {
                    switch index % 4 {
                    case 0: _ = try await reader.line()
                    case 1: _ = try await reader.exactly(100)
                    case 2: _ = try await reader.until([0])
                    default: _ = try await reader.message { _ -> (Int, used: Int)? in nil }
                    }
                }
                // The call has received the byte when the connection has passed it on.
                try await loop.sleep(for: .milliseconds(2))
                call.cancel()
                let result = await call.result
                #expect(throws: UVError(.cancelled, operation: "uv_read_start")) { try result.get() }
            }
            // A call that begins in a cancelled task loses nothing either.
            let cancelled = Task(executorPreference: loop) { try await reader.exactly(100) }
            cancelled.cancel()
            _ = await cancelled.result
            try await client.write("\n")
            #expect(try await reader.line() == "abcdef")
            await client.close()
            await server.close()
        }
    }

    /// Promises of the articles "Reading lines and messages" and "Stopping a server".
    @Test func aTimeoutForALineLeavesTheReaderUsable() throws {
        try withTask { loop async throws in
            let (client, server) = try await UVConnection.pair(on: loop)
            let reader = UVBufferedReader(server)
            try await client.write("half")
            await #expect(throws: UVError(.timedOut, operation: "withTimeout")) {
                try await loop.withTimeout(.milliseconds(5)) { try await reader.line() }
            }
            try await client.write(" and half\n")
            #expect(try await loop.withTimeout(.seconds(20)) { try await reader.line() } == "half and half")
            await client.close()
            await server.close()
        }
    }

    @Test func overlappingCallsAreRejected() throws {
        try withTask { loop async throws in
            let (client, server) = try await UVConnection.pair(on: loop)
            let reader = UVBufferedReader(server)
            let first = Task(executorPreference: loop) { try await reader.line() }
            try await loop.sleep(for: .milliseconds(2))
            func busy(_ function: String) -> UVError { UVError(.busy, operation: "UVBufferedReader.\(function)") }
            await #expect(throws: busy("line")) { try await reader.line() }
            await #expect(throws: busy("exactly")) { try await reader.exactly(0) }
            await #expect(throws: busy("bytes")) { try await reader.bytes() }
            await #expect(throws: busy("until")) { try await reader.until([1]) }
            await #expect(throws: busy("withLine")) { try await reader.withLine { _ in } }
            await #expect(throws: busy("message")) { try await reader.message { _ in ((), used: 1) } }
            try await client.write("line\nnext\n")
            #expect(try await first.value == "line")
            #expect(try await reader.line() == "next")
            await client.close()
            await server.close()
        }
    }

    /// Promises of the articles "Errors" and "Reading lines and messages".
    @Test func anErrorOfTheStreamIsThrownAndTheBytesStay() throws {
        try withTask { loop async throws in
            let (client, server) = try await UVConnection.pair(on: loop)
            let reader = UVBufferedReader(server)
            try await client.write("part")
            #expect(try await reader.exactly(1) == Array("p".utf8))
            try (client.stream as? UVTCPStream)?.closeReset()
            await #expect(throws: UVError(.connectionReset, operation: "uv_read_start")) { try await reader.line() }
            #expect(try await reader.bytes() == Array("art".utf8))
            await server.close()
        }
    }

    @Test func errorsSayWhatHappened() {
        #expect(UVReadError.endOfStream(received: 3, expected: 8).description == "the stream ended after 3 of 8 bytes")
        let open = UVReadError.endOfStream(received: 3, expected: nil)
        #expect(open.description == "the stream ended inside an item, after 3 bytes")
        #expect("\(UVReadError.limitExceeded(limit: 5))" == "the item exceeds the limit of 5 bytes")
    }

    /// A program's own stream has all functions that a protocol's code needs.
    ///
    /// Promises of the articles "Coming from SwiftNIO" and "Reading lines and messages".
    @Test func codeOverTheProtocolAlsoRunsOverAConnection() throws {
        try withTask { loop async throws in
            let (client, server) = try await UVConnection.pair(on: loop)
            try await greet(client)
            #expect(try await UVBufferedReader(server).lines.reduce("", +) == "helloworldagain")
            await server.close()
            let own = PieceStream([], on: loop)
            try await greet(own)
            #expect(own.written == Array("hello\nworld\nagain\n".utf8))
            #expect(own.isShutDown && own.isClosed)
        }
    }

    private nonisolated(nonsending) func greet(_ stream: some UVByteStream) async throws {
        try await stream.write("hello\n")
        try await stream.write(Array("world\n".utf8))
        try await stream.write(stream.loop.makeBuffer(copying: "again\n"))
        try await stream.flush()
        try await stream.shutdown()
        await stream.close()
    }
}

// @unchecked Sendable: used only on the loop's thread.
/// A stream that delivers given pieces and records what is written.
private final class PieceStream: UVByteStream, @unchecked Sendable {
    let loop: UVLoop
    private var pieces: ArraySlice<[UInt8]>
    private var singles: ArraySlice<UInt8>
    private(set) var written: [UInt8] = []
    private(set) var isShutDown = false
    private(set) var isClosed = false

    init(_ pieces: [[UInt8]], on loop: UVLoop) {
        self.loop = loop
        self.pieces = pieces.filter { !$0.isEmpty }[...]
        singles = []
    }

    /// Delivers each byte in a piece of its own.
    init(bytes: [UInt8], on loop: UVLoop) {
        self.loop = loop
        pieces = []
        singles = bytes[...]
    }

    nonisolated(nonsending) func read() async throws(UVError) -> UVBuffer? {
        if let piece = pieces.popFirst() { return loop.makeBuffer(copying: piece) }
        return singles.popFirst().map { loop.makeBuffer(copying: [$0]) }
    }

    nonisolated(nonsending) func write(_ buffer: consuming UVBuffer) async throws(UVError) {
        buffer.append(to: &written)
    }

    nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(UVError) { written += bytes }

    nonisolated(nonsending) func write(_ text: String) async throws(UVError) { written += text.utf8 }

    nonisolated(nonsending) func flush() async throws(UVError) {}

    nonisolated(nonsending) func shutdown() async throws(UVError) { isShutDown = true }

    nonisolated(nonsending) func close() async { isClosed = true }
}
