import Foundation
import LibUV
import SystemCalls
import Testing

/// Tests of Unix domain sockets and pipes.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct PipeTests {
    /// Tests behaviour 53 of docs/behaviours.md.
    @Test func namesArePrintedAsTheSystemsToolsDo() {
        #expect(UVPipeName.path("/run/a.sock").description == "/run/a.sock")
        #expect(UVPipeName.path("/run/a.sock").path == "/run/a.sock")
        #expect(UVPipeName.abstract("a").description == "@a")
        #expect(UVPipeName.abstract("a").bytes == [0, 97])
        #expect(UVPipeName.abstract("a").isAbstract && UVPipeName.abstract("a").path == nil)
        #expect(UVPipeName.unnamed.description == "unnamed" && UVPipeName.unnamed.path == nil)
        #expect(UVPipeName(bytes: [0, 97]) == .abstract("a"))
    }

    /// Tests behaviour 53 of docs/behaviours.md.
    @Test(arguments: [UVPipeName.path(temporaryPath()), .abstract(temporaryPath())])
    func bothEndsKnowTheListenersName(_ name: UVPipeName) throws {
        try withLoop { loop in
            let listener = try UVPipeListener(on: loop)
            #expect(throws: UVError(.badDescriptor, operation: "uv_pipe_getsockname")) { try listener.localName }
            try listener.bind(to: name)
            #expect(try listener.localName == name)
            var accepted: UVPipe?
            try listener.listen { listener, _ in
                accepted = try? listener.accept()
                listener.close()
            }
            let client = try UVPipe(on: loop)
            #expect(throws: UVError(.badDescriptor, operation: "uv_pipe_getpeername")) { try client.remoteName }
            var connected = 0
            try client.connect(to: name) { result in if case .success = result { connected += 1 } }
            #expect(connected == 0)
            while accepted == nil || connected == 0 { try loop.run(.once) }
            #expect(try client.remoteName == name)
            #expect(try client.localName == .unnamed)
            #expect(try accepted?.localName == name)
            #expect(try accepted?.remoteName == .unnamed)
            client.close()
            accepted?.close()
            try loop.run()
            #expect(connected == 1)
            #expect(throws: UVError(.invalidArgument, operation: "uv_pipe_getsockname")) { try client.localName }
        }
    }

    /// Behaviour 53, pitfall 26: a failed connect is reported in a later iteration, and leaves the pipe open.
    @Test(arguments: [
        (UVPipeName.path("/nowhere/at/all"), UVError.Code.noSuchFile),
        (.path("/"), .connectionRefused),
        (.path("/etc/passwd"), .connectionRefused),
        (.abstract("uv: no listener"), .connectionRefused),
    ])
    func aFailureToConnectIsReportedOnceAndLeavesThePipeOpen(_ name: UVPipeName, _ code: UVError.Code) throws {
        try withLoop { loop in
            let pipe = try UVPipe(on: loop)
            var failures: [UVError] = []
            try pipe.connect(to: name) { result in if case .failure(let error) = result { failures.append(error) } }
            #expect(failures.isEmpty)
            #expect(throws: UVError(.alreadyInProgress, operation: "uv_pipe_connect")) {
                try pipe.connect(to: name) { _ in Issue.record("called") }
            }
            try loop.run()
            #expect(failures == [UVError(code, operation: "uv_pipe_connect")])
            #expect(!pipe.isClosing && !pipe.isReadable && !pipe.isWritable)
            #expect(throws: UVError.self) { try pipe.startReading { _, _ in } }
            #expect(throws: UVError.self) { try pipe.write(pipe.buffer("x")) }
            pipe.close()
            try loop.run()
        }
    }

    /// Tests behaviour 43 and pitfall 7 of docs/behaviours.md.
    @Test(arguments: [
        UVPipeName.path("/nowhere/at/all"), .abstract("uv: no listener"), .abstract(temporaryPath()),
        .path(temporaryPath()),
    ])
    func closingWhileConnectingCancels(_ name: UVPipeName) throws {
        try withLoop { loop in
            let listener = try UVPipeListener(on: loop)
            let isUnique = name.description.contains("/tmp/")
            if isUnique {
                try listener.bind(to: name)
                try listener.listen { listener, _ in listener.close() }
            }
            let pipe = try UVPipe(on: loop)
            let record = Record()
            try pipe.connect(to: name) { result in
                if case .failure(let error) = result, error.code == .cancelled { record.note("cancelled") }
            }
            pipe.close { record.note("closed") }
            try loop.run()
            #expect(record.events == ["cancelled", "closed"])
        }
    }

    /// A write that starts before the connect has completed is sent, and completes after the connect.
    @Test(arguments: [UVPipeName.path(temporaryPath()), .abstract(temporaryPath())])
    func aWriteWhileConnectingFollowsTheConnect(_ name: UVPipeName) throws {
        try withLoop { loop in
            let listener = try UVPipeListener(on: loop)
            try listener.bind(to: name)
            let collected = Collected()
            try listener.listen { listener, _ in
                try? listener.accept().collect(collected)
                listener.close()
            }
            let pipe = try UVPipe(on: loop)
            let record = Record()
            try pipe.connect(to: name) { result in record.note((try? result.get()) == nil ? "failed" : "connected") }
            try pipe.write(pipe.buffer("early")) { result in
                record.note((try? result.get()) == nil ? "failed" : "written")
                pipe.close()
            }
            try loop.run()
            #expect(record.events == ["connected", "written"])
            #expect(collected.text == "early")
        }
    }

    /// The library rejects a name that libuv would truncate or misread: the call throws, and its completion never runs.
    ///
    /// Promise of the article "Errors".
    @Test(arguments: [
        (UVPipeName.path(String(repeating: "x", count: 108)), UVError.Code.nameTooLong),
        (.abstract(String(repeating: "x", count: 108)), .nameTooLong),
        (.path(""), .invalidArgument), (.abstract(""), .invalidArgument), (.unnamed, .invalidArgument),
        (.path("a\0b"), .invalidArgument), (.abstract("a\0b"), .invalidArgument),
    ])
    func aNameThatCannotBeIsRefused(_ name: UVPipeName, _ code: UVError.Code) throws {
        try withLoop { loop in
            let listener = try UVPipeListener(on: loop)
            #expect(throws: UVError(code, operation: "uv_pipe_bind")) { try listener.bind(to: name) }
            let pipe = try UVPipe(on: loop)
            #expect(throws: UVError(code, operation: "uv_pipe_connect")) {
                try pipe.connect(to: name) { _ in Issue.record("called") }
            }
            pipe.close()
            listener.close()
            try loop.run()
        }
    }

    @Test func theLongestNamesWork() throws {
        try withLoop { loop in
            let path = "/tmp/" + String(repeating: "p", count: 107 - 5)
            unsafe unlink(path)
            for name in [UVPipeName.path(path), .abstract(String(repeating: "a", count: 107))] {
                let connection = try PipeConnection.make(on: loop, name: name)
                #expect(try connection.server.localName == name)
                connection.client.close()
                connection.server.close()
            }
            try loop.run()
        }
    }

    /// Promise of the article "What is not guaranteed".
    @Test func bytesThatAreNoTextAreAName() throws {
        try withLoop { loop in
            // The digits make the name unique. A byte of the number could be zero, which no name may contain.
            let name = UVPipeName(bytes: [0, 0xFF, 0xFE] + Array("\(getpid())".utf8))
            let connection = try PipeConnection.make(on: loop, name: name)
            #expect(try connection.client.remoteName == name)
            connection.client.close()
            connection.server.close()
            try loop.run()
        }
    }

    /// Tests behaviour 51 and pitfall 28 of docs/behaviours.md.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test func aDescriptorIsTakenOverOnceAndClosedByThePipe() throws {
        try withLoop { loop in
            let (one, other) = try UVPipe.pair(on: loop)
            let number = dup(try one.withUnsafeDescriptor { $0 })
            let pipe = try UVPipe(on: loop, adopting: number)
            #expect(throws: UVError(.alreadyConnected, operation: "uv_pipe_connect")) {
                try pipe.connect(to: .abstract("x")) { _ in Issue.record("called") }
            }
            // A pipe rejects a descriptor that is already watched, is not open, or is not a stream. The descriptor
            // still belongs to the caller.
            try pipe.startReading { _, _ in }
            try loop.run(.noWait)
            #expect(throws: UVError(.alreadyExists, operation: "uv_pipe_open")) {
                try UVPipe(on: loop, adopting: number)
            }
            #expect(throws: UVError(.badDescriptor, operation: "uv_pipe_open")) { try UVPipe(on: loop, adopting: -1) }
            for path in ["/etc/passwd", "/tmp", "/dev/null"] {
                let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
                #expect(throws: UVError(.invalidArgument, operation: "uv_pipe_open")) {
                    try UVPipe(on: loop, adopting: file)
                }
                #expect(throws: UVError(.invalidArgument, operation: "uv_tcp_open")) {
                    try UVTCPStream(on: loop, adopting: file)
                }
                #expect(Foundation.close(file) == 0)
            }
            #expect(fcntl(number, F_GETFD) >= 0)
            for handle in [one, other, pipe] { handle.close() }
            try loop.run()
            #expect(fcntl(number, F_GETFD) < 0)
        }
    }

    /// Behaviours 28 and 38, pitfall 27: a pipe that is not a socket carries bytes one way.
    @Test func aPipeCarriesBytesOneWayUntilItsWriterCloses() throws {
        try withLoop { loop in
            let (reading, writing) = try UVPipe.oneWay(on: loop)
            #expect(reading.isReadable && !reading.isWritable)
            #expect(writing.isWritable && !writing.isReadable)
            #expect(throws: UVError(.brokenPipe, operation: "uv_write")) { try reading.write(reading.buffer("x")) }
            #expect(throws: UVError(.notConnected, operation: "uv_read_start")) { try writing.startReading { _, _ in } }
            #expect(throws: UVError.self) { try writing.localName }
            let collected = Collected()
            try reading.collect(collected)
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
            try writing.write(writing.buffer(bytes)) { _ in writing.close() }
            try loop.run()
            #expect(collected.bytes == bytes)
            #expect(collected.endCount == 1 && collected.closedCount == 1)
        }
    }

    /// Pitfall 17: shutting down a pipe that is not a socket fails, and the completion reports the error once.
    @Test func aPipeThatIsNoSocketCannotBeShutDown() throws {
        try withLoop { loop in
            let (reading, writing) = try UVPipe.oneWay(on: loop)
            var names: [String] = []
            try writing.shutdown { result in
                if case .failure(let error) = result { names.append(error.name) }
                writing.close()
            }
            try reading.collect(Collected())
            try loop.run()
            #expect(names == ["ENOTSOCK"])
        }
    }

    /// Tests pitfall 22 of docs/behaviours.md.
    @Test func aWriteToAPipeThatNobodyReadsFails() throws {
        try withLoop { loop in
            let (reading, writing) = try UVPipe.oneWay(on: loop)
            reading.close()
            try loop.run()
            var failures: [UVError] = []
            try writing.write(writing.buffer("x")) { result in
                if case .failure(let error) = result { failures.append(error) }
                writing.close()
            }
            try loop.run()
            #expect(failures == [UVError(.brokenPipe, operation: "uv_write")])
        }
    }

    /// Tests pitfall 27 of docs/behaviours.md.
    @Test func aStreamThatBlocksWritesAllAtOnce() throws {
        try withLoop { loop in
            let (reading, writing) = try UVPipe.oneWay(on: loop)
            let flags = { (pipe: UVPipe) in try pipe.withUnsafeDescriptor { fcntl($0, F_GETFL) } & O_NONBLOCK }
            #expect(try flags(writing) != 0)
            try writing.setBlocking(true)
            #expect(try flags(writing) == 0)
            try writing.write(writing.buffer([UInt8](repeating: 1, count: 50_000)))
            #expect(writing.writeQueueSize == 0)
            #expect(reading.unreadByteCount == 50_000)
            try writing.setBlocking(false)
            #expect(try flags(writing) != 0)
            #expect(throws: UVError(.badDescriptor, operation: "uv_stream_set_blocking")) {
                try UVPipe(on: loop).setBlocking(true)
            }
            loop.walk { $0.close() }
            #expect(throws: UVError(.invalidArgument, operation: "uv_stream_set_blocking")) {
                try writing.setBlocking(true)
            }
            try loop.run()
        }
    }

    /// Behaviour 51: the streams of a pair have the type TCP, but operations that need a TCP socket throw.
    @Test func aPairOfTCPStreamsHasNoAddress() throws {
        try withLoop { loop in
            let (one, other) = try UVTCPStream.pair(on: loop)
            #expect(one.typeName == "tcp")
            #expect(throws: UVError.self) { try one.localAddress }
            #expect(throws: UVError.self) { try one.setNoDelay(true) }
            one.close()
            other.close()
            try loop.run()
        }
    }

    /// Tests pitfall 13 of docs/behaviours.md.
    @Test func nothingIsMadeOnALoopThatIsClosed() throws {
        let loop = try UVLoop()
        try loop.close()
        #expect(throws: UVError(.cancelled, operation: "uv_pipe_init")) { try UVPipe(on: loop) }
        #expect(throws: UVError(.cancelled, operation: "uv_pipe_init")) { try UVPipeListener(on: loop) }
        #expect(throws: UVError(.cancelled, operation: "uv_socketpair")) { try UVPipe.pair(on: loop) }
        #expect(throws: UVError(.cancelled, operation: "uv_pipe")) { try UVPipe.oneWay(on: loop) }
        #expect(throws: UVError(.cancelled, operation: "uv_socketpair")) { try UVTCPStream.pair(on: loop) }
    }

    /// Pitfalls 1, 3 and 12: a pipe keeps itself alive until it has closed.
    ///
    /// The close then releases the pipe and its closure.
    @Test func aPipeGoesWithItsClose() throws {
        weak var dropped: UVPipe?
        weak var captured: Record?
        try withLoop { loop in
            do {
                let (one, other) = try UVPipe.pair(on: loop)
                let record = Record()
                (dropped, captured) = (one, record)
                try one.startReading { stream, event in
                    record.note("called")
                    if case .end = event { stream.close() }
                }
                other.close()
            }
            #expect(dropped != nil)
            try loop.run()
            #expect(dropped == nil && captured == nil)
        }
    }

    /// Pitfalls 2 and 8: closing a pipe twice in any of its callbacks is safe.
    ///
    /// Promise of the article "Back-pressure".
    @Test(arguments: ["connect", "bytes", "end", "write", "shutdown"])
    func closingInACallbackIsSafe(_ place: String) throws {
        try withLoop { loop in
            let name = UVPipeName.abstract(temporaryPath())
            let listener = try UVPipeListener(on: loop)
            try listener.bind(to: name)
            try listener.listen { listener, _ in
                guard let server = try? listener.accept() else { return }
                listener.close()
                try? server.collect(Collected())
                try? server.write(server.buffer("hello"))
                try? server.shutdown()
            }
            let client = try UVPipe(on: loop)
            var closed = 0
            let closeTwice = {
                client.close { closed += 1 }
                client.close()
            }
            try client.connect(to: name) { _ in
                if place == "connect" { return closeTwice() }
                try? client.startReading { _, event in
                    if case .bytes = event, place == "bytes" { closeTwice() }
                    if case .end = event { closeTwice() }
                }
                if place == "write" { try? client.write(client.buffer("x")) { _ in closeTwice() } }
                if place == "shutdown" { try? client.shutdown { _ in closeTwice() } }
            }
            while closed == 0 { try loop.run(.once) }
            try loop.run()
            #expect(closed == 1)
        }
    }

    /// Tasks can read and write a pipe like any other stream.
    ///
    /// Promise of the article "Closures and tasks".
    @Test func tasksReadAndWriteAPipe() throws {
        try withTask { loop in
            let (one, other) = try UVPipe.pair(on: loop)
            let (client, server) = (try UVConnection(one), try UVConnection(other))
            let echo = Task(executorPreference: loop) {
                while let buffer = try await server.read() { try await server.write(buffer) }
                try await server.shutdown()
            }
            try await client.write("through a pipe")
            try await client.shutdown()
            #expect(String(decoding: try await client.readAll(), as: UTF8.self) == "through a pipe")
            try await echo.value
            await client.close()
            await server.close()
        }
    }
}
