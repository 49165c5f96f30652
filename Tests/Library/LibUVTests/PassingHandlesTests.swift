import Foundation
import LibUV
import SystemCalls
import Testing

/// Tests of handles that are sent over a pipe.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number; names such as ipc_send_recv_tcp are names of libuv's
/// tests.
@Suite(.timeLimit(.minutes(1))) struct PassingHandlesTests {
    /// Reads from a pipe, and calls `body` when bytes arrive.
    private func read(_ pipe: UVPipe, _ body: @escaping () -> Void) throws {
        try pipe.startReading { _, event in if case .bytes = event { body() } }
    }

    /// Behaviour 54 (ipc_send_recv_tcp): the received stream works, and the sender may close its own handle.
    @Test func aTCPStreamArrivesWithItsBytes() throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let connection = try Connection.make(on: loop)
            let record = Record()
            try sender.write(sender.buffer("x"), sending: connection.server) { result in
                record.note((try? result.get()) == nil ? "failed" : "sent")
                connection.server.close()
            }
            let collected = Collected()
            try read(receiver) {
                #expect(receiver.pendingCount == 1)
                #expect(receiver.pendingKind == .tcp)
                let stream = try? receiver.acceptPending()
                #expect(stream is UVTCPStream)
                #expect(receiver.pendingCount == 0 && receiver.pendingKind == nil)
                try? stream?.collect(collected)
                receiver.close()
            }
            try connection.client.write(connection.client.buffer("hello"))
            try connection.client.shutdown { _ in connection.client.close() }
            sender.shutdownThenClose()
            try loop.run()
            #expect(record.events == ["sent"])
            #expect(collected.text == "hello" && collected.endCount == 1)
        }
    }

    /// Behaviour 54 (ipc_send_recv_pipe): a received pipe can itself pass handles.
    @Test func aPipeArrivesAndPassesHandlesInTurn() throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let (near, far) = try UVPipe.pair(on: loop, passesHandles: true)
            let connection = try Connection.make(on: loop)
            try sender.write(sender.buffer("x"), sending: far) { _ in far.close() }
            var kinds: [UVDescriptorKind?] = []
            try read(receiver) {
                kinds.append(receiver.pendingKind)
                guard let pipe = try? receiver.acceptPendingPipe(passesHandles: true) else { return }
                #expect(pipe.passesHandles)
                try? pipe.startReading { _, event in
                    guard case .bytes = event else { return }
                    kinds.append(pipe.pendingKind)
                    try? pipe.acceptPending().close()
                    loop.walk { if $0 !== receiver { $0.close() } }
                    receiver.close()
                }
                try? near.write(near.buffer("y"), sending: connection.client)
            }
            try loop.run()
            #expect(kinds == [.pipe, .tcp])
        }
    }

    /// Behaviour 54 (ipc_listen_before_write, ipc_listen_after_write): the receiver of a listener can listen on it.
    @Test(arguments: [true, false]) func aTCPListenerIsListenedOnByItsReceiver(_ listensBefore: Bool) throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            if listensBefore { try listener.listen { _, _ in Issue.record("the sender's listener was called") } }
            let address = try listener.localAddress
            try sender.write(sender.buffer("x"), sending: listener) { _ in listener.close() }
            var accepted = 0
            let client = try UVTCPStream(on: loop)
            try read(receiver) {
                guard let received = try? receiver.acceptPendingTCPListener() else { return }
                #expect((try? received.localAddress) == address)
                try? received.listen { listener, _ in
                    (try? listener.accept())?.close()
                    accepted += 1
                    for handle in [listener, receiver, sender, client] { handle.close() }
                }
                listener.close { try? client.connect(to: address) { _ in } }
            }
            try loop.run()
            #expect(accepted == 1)
        }
    }

    @Test func aPipeListenerIsListenedOnByItsReceiver() throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let listener = try UVPipeListener(on: loop)
            let name = UVPipeName.abstract(temporaryPath())
            try listener.bind(to: name)
            try sender.write(sender.buffer("x"), sending: listener) { _ in listener.close() }
            var accepted = 0
            try read(receiver) {
                guard let received = try? receiver.acceptPendingPipeListener() else { return }
                try? received.listen { listener, _ in
                    (try? listener.accept())?.close()
                    accepted += 1
                    loop.walk { $0.close() }
                }
                try? UVPipe(on: loop).connect(to: name) { _ in }
            }
            try loop.run()
            #expect(accepted == 1)
        }
    }

    /// Behaviour 54: handles that arrive in one read are queued in the order in which they were sent.
    @Test func severalHandlesWaitInOrder() throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let tcp = try UVTCPStream.pair(on: loop)
            let pipe = try UVPipe.pair(on: loop)
            let connection = try Connection.make(on: loop)
            var sent: [Int] = []
            let handles: [UVHandle] = [connection.client, pipe.0, connection.server, pipe.1, connection.client]
            for (index, handle) in handles.enumerated() {
                try sender.write(sender.buffer("\(index)"), sending: handle) { _ in sent.append(index) }
            }
            // The last write follows all handles and sends none.
            try sender.write(sender.buffer("!")) { _ in sent.append(5) }
            while sent.count < 6 { try loop.run(.once) }
            #expect(sent == [0, 1, 2, 3, 4, 5])
            var kinds: [UVDescriptorKind?] = []
            let collected = Collected()
            try receiver.startReading { _, event in
                guard case .bytes(let bytes) = event else { return }
                collected.append(bytes)
                while receiver.pendingCount > 0 {
                    kinds.append(receiver.pendingKind)
                    try? receiver.discardPending()
                }
                if collected.text.hasSuffix("!") { receiver.close() }
            }
            while !receiver.isClosed { try loop.run(.once) }
            #expect(collected.text == "01234!")
            #expect(kinds == [.tcp, .pipe, .tcp, .pipe, .tcp])
            for handle in [tcp.0, tcp.1, pipe.0, pipe.1, sender, connection.client, connection.server] {
                handle.close()
            }
            try loop.run()
        }
    }

    /// Pitfall 20: a handle is sent in order, after all earlier writes and before all later writes.
    @Test func aHandleGoesInItsTurn() throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let connection = try Connection.make(on: loop)
            let record = Record()
            let block = [UInt8](repeating: 1, count: 100_000)
            for index in 0..<20 { try sender.write(sender.buffer(block)) { _ in record.note("\(index)") } }
            #expect(sender.writeQueueSize > 1_000_000)
            try sender.write(sender.buffer("x"), sending: connection.server) { _ in record.note("sent") }
            try sender.write(sender.buffer("y")) { _ in record.note("last") }
            var count = 0
            var countBefore = -1
            try receiver.startReading { _, event in
                guard case .bytes(let bytes) = event else { return }
                count += bytes.count
                if countBefore < 0, receiver.pendingCount == 1 { countBefore = count }
                if count == 2_000_002 { receiver.close() }
            }
            while !receiver.isClosed { try loop.run(.once) }
            #expect(record.events == (0..<20).map { "\($0)" } + ["sent", "last"])
            #expect(countBefore > 2_000_000)
            connection.close()
            sender.close()
            try loop.run()
        }
    }

    /// Pitfalls 1 and 4: a handle that is closed and dropped stays in memory while its write is queued.
    @Test func aHandleThatIsClosedBeforeItsTurnFailsItsWrite() throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            try sender.write(sender.buffer([UInt8](repeating: 1, count: 1 << 20)))
            var failures: [UVError] = []
            weak var sent: UVPipe?
            do {
                let (near, far) = try UVPipe.pair(on: loop)
                sent = near
                try sender.write(sender.buffer("x"), sending: near) { result in
                    if case .failure(let error) = result { failures.append(error) }
                    sender.close()
                }
                near.close()
                far.close()
            }
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(failures.isEmpty)
            #expect(sent?.isClosed == true)
            try receiver.collect(Collected())
            try loop.run()
            #expect(sent == nil)
            #expect(failures == [UVError(.badDescriptor, operation: "uv_write")])
        }
    }

    /// Pitfall 7: closing the pipe completes the queued writes and releases the handles in them.
    @Test func closingThePipeCompletesWhatWasToBeSent() throws {
        weak var sent: UVTCPStream?
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let record = Record()
            try sender.write(sender.buffer([UInt8](repeating: 1, count: 1 << 20)))
            do {
                let stream = try UVTCPStream(on: loop)
                sent = stream
                try stream.bind(to: .loopback(port: 0))
                try sender.write(sender.buffer("x"), sending: stream) { result in
                    if case .failure(let error) = result { record.note(error.name) }
                }
                stream.close()
            }
            sender.close { record.note("closed") }
            receiver.close()
            try loop.run()
            #expect(record.events == ["ECANCELED", "closed"])
            #expect(sent == nil)
        }
    }

    /// Pitfall 9: a pipe immediately rejects a handle that it cannot send.
    ///
    /// The buffer of the write returns to the pool, and its completion does not run.
    @Test func whatCannotBeSentIsRefused() throws {
        try withLoop { loop in
            let (plain, other) = try UVPipe.pair(on: loop)
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let refused = { (pipe: UVPipe, text: String, handle: UVHandle, code: UVError.Code) in
                #expect(throws: UVError(code, operation: "uv_write2")) {
                    try pipe.write(pipe.buffer(text), sending: handle) { _ in Issue.record("called") }
                }
                #expect(throws: UVError(code, operation: "uv_try_write2")) {
                    try pipe.tryWrite(Array(text.utf8).span, sending: handle)
                }
                #expect(loop.statistics.buffers.held == 0 && loop.statistics.buffers.inFlight == 0)
            }
            refused(plain, "x", other, .invalidArgument)
            refused(sender, "", other, .invalidArgument)
            refused(sender, "x", try UVTimer(on: loop), .invalidArgument)
            refused(sender, "x", try UVTCPStream(on: loop), .badDescriptor)
            try withLoop { elsewhere in refused(sender, "x", try UVPipe.pair(on: elsewhere).0, .invalidArgument) }
            sender.close()
            #expect(throws: UVError(.badDescriptor, operation: "uv_write2")) {
                try sender.write(sender.buffer("x"), sending: other)
            }
            #expect(throws: UVError.self) { try receiver.acceptPending() }
            loop.walk { $0.close() }
            try loop.run()
        }
    }

    /// Behaviour 32: `tryWrite` with a handle sends the handle with the first byte, or it sends nothing.
    @Test func aTryTakesTheHandleWithItsFirstByteOrNothing() throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let (near, far) = try UVPipe.pair(on: loop)
            #expect(try sender.tryWrite([1, 2, 3].span, sending: near) == 3)
            while try sender.tryWrite([UInt8](repeating: 0, count: 1 << 16).span) > 0 {}
            #expect(try sender.tryWrite([1].span, sending: near) == 0)
            try sender.write(sender.buffer("waits"))
            #expect(try sender.tryWrite([1].span, sending: near) == 0)
            var most = 0
            try receiver.startReading { _, event in
                guard case .bytes(let bytes) = event else { return }
                most = max(most, receiver.pendingCount)
                if bytes[bytes.count - 1] == UInt8(ascii: "s") { receiver.close() }
            }
            while !receiver.isClosed { try loop.run(.once) }
            #expect(most == 1)
            for handle in [sender, near, far] { handle.close() }
            try loop.run()
        }
    }

    /// Accepting a handle as the wrong kind throws, and the handle stays queued.
    @Test func aHandleIsTakenOnlyAsWhatItIs() throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            #expect(throws: UVError(.wouldBlock, operation: "uv_accept")) { try receiver.acceptPending() }
            #expect(throws: UVError(.wouldBlock, operation: "uv_accept")) { try receiver.discardPending() }
            let connection = try Connection.make(on: loop)
            try sender.write(sender.buffer("x"), sending: connection.client)
            var seen = false
            try read(receiver) { seen = true }
            while !seen { try loop.run(.once) }
            #expect(throws: UVError(.invalidArgument, operation: "uv_accept")) {
                try receiver.acceptPendingPipe(passesHandles: false)
            }
            #expect(throws: UVError(.invalidArgument, operation: "uv_accept")) {
                try receiver.acceptPendingPipeListener()
            }
            #expect(receiver.pendingCount == 1)
            #expect(try receiver.acceptPending().typeName == "tcp")
            loop.walk { $0.close() }
            try loop.run()
            #expect(receiver.pendingCount == 0)
        }
    }

    /// Pitfall 28: the pipe's close also closes received descriptors that were not accepted, whatever their kind.
    @Test(arguments: [S_IFREG, S_IFDIR, S_IFCHR]) func whatIsNoStreamIsDiscardedOrClosed(_ type: mode_t) throws {
        let temporary = temporaryPath()
        let path = type == S_IFCHR ? "/dev/zero" : temporary
        if type == S_IFDIR { #expect(unsafe mkdir(path, 0o700) == 0) }
        let file = unsafe open(path, type == S_IFREG ? O_CREAT | O_RDWR : O_RDONLY, 0o600)
        try #require(file >= 0)
        // Removes the temporary file or folder. A device has another path, so it is not removed.
        defer { unsafe remove(temporary) }
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let socket = try sender.withUnsafeDescriptor { $0 }
            for _ in 0..<2 { try #require(send(file, over: socket)) }
            var most = 0
            try read(receiver) { most = receiver.pendingCount }
            while most < 2 { try loop.run(.once) }
            #expect(receiver.pendingKind == (type == S_IFDIR ? .unknown : .file))
            #expect(openCount(path) == 3)
            #expect(throws: UVError(.invalidArgument, operation: "uv_accept")) { try receiver.acceptPending() }
            try receiver.discardPending()
            #expect(receiver.pendingCount == 1)
            for handle in [sender, receiver] { handle.close() }
            try loop.run()
            #expect(openCount(path) == 1)
        }
        #expect(close(file) == 0)
    }

    /// The number of descriptors of this process that are open on a path.
    private func openCount(_ path: String) -> Int {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return all.count { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path }
    }

    /// Sends a byte and a descriptor over a socket with `sendmsg`, like a peer that does not use libuv.
    private func send(_ descriptor: Int32, over socket: Int32) -> Bool {
        // A control message consists of a header (length, `SOL_SOCKET`, `SCM_RIGHTS`), the descriptor, and padding.
        var control: [UInt32] = [20, 0, UInt32(SOL_SOCKET), 1, UInt32(bitPattern: descriptor), 0]
        var byte: UInt8 = 1
        return unsafe control.withUnsafeMutableBytes { control in
            unsafe withUnsafeMutableBytes(of: &byte) { byte in
                var vector = unsafe iovec(iov_base: byte.baseAddress, iov_len: 1)
                return unsafe withUnsafeMutablePointer(to: &vector) { vector in
                    var message = unsafe msghdr()
                    unsafe message.msg_iov = vector
                    unsafe message.msg_iovlen = 1
                    unsafe message.msg_control = control.baseAddress
                    unsafe message.msg_controllen = control.count
                    return unsafe sendmsg(socket, &message, 0) == 1
                }
            }
        }
    }

    /// Accepting the last handle while reading is paused, or after end of stream, does not make the loop spin.
    @Test(arguments: [true, false]) func takingAHandleWhileNobodyReadsDoesNotSpin(_ isAfterTheEnd: Bool) throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let (near, far) = try UVPipe.pair(on: loop)
            #expect(try sender.tryWrite([1].span, sending: near) == 1)
            if isAfterTheEnd { sender.close() }
            let collected = Collected()
            try receiver.startReading { stream, event in
                switch event {
                case .bytes(let bytes):
                    collected.append(bytes)
                    if !isAfterTheEnd { stream.stopReading() }
                case .end: collected.endCount += 1
                default: break
                }
            }
            while collected.bytes.isEmpty || (isAfterTheEnd && collected.endCount == 0) { try loop.run(.once) }
            if !isAfterTheEnd { _ = try sender.tryWrite([2].span) }
            let taken = try receiver.acceptPending()
            var rounds = 0
            let prepare = try UVPrepare(on: loop)
            try prepare.start { _ in rounds += 1 }
            prepare.unref()
            let timer = try UVTimer(on: loop)
            try timer.start(after: .milliseconds(50)) { timer in timer.close() }
            while !timer.isClosed { try loop.run(.once) }
            #expect(rounds < 10)
            #expect(collected.bytes == [1])
            if !isAfterTheEnd {
                // Bytes that arrived while reading was paused are read when it resumes.
                try receiver.resumeReading()
                while collected.bytes.count < 2 { try loop.run(.once) }
            }
            for handle in [sender, receiver, near, far, taken, prepare] { handle.close() }
            try loop.run()
        }
    }

    /// A received socket does not block the receiver's loop, even if the sender left it in blocking mode.
    @Test func aHandleThatArrivesDoesNotBlock() throws {
        try withLoop { loop in
            let (sender, receiver) = try UVPipe.pair(on: loop, passesHandles: true)
            let (near, far) = try UVPipe.pair(on: loop)
            try near.setBlocking(true)
            #expect(try sender.tryWrite([1].span, sending: near) == 1)
            var flags: Int32 = 0
            try read(receiver) {
                guard let stream = try? receiver.acceptPending() else { return }
                flags = (try? stream.withUnsafeDescriptor { fcntl($0, F_GETFL) }) ?? 0
                for handle in [sender, receiver, near, far, stream] { handle.close() }
            }
            try loop.run()
            #expect(flags & O_NONBLOCK != 0)
        }
    }
}

extension UVStream {
    /// Shuts down the write side, and then closes the stream.
    fileprivate func shutdownThenClose() { try? shutdown { _ in self.close() } }
}
