internal import IncrementProtocol
internal import LibUV
internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// How a model on libuv serves the connections of a loop.
protocol LoopModel: Sendable {
    /// Begins to serve an accepted connection.
    ///
    /// - Throws: if the connection cannot be served; the caller closes it.
    func begin(_ stream: UVTCPStream, on worker: LoopWorker) throws(UVError)
}

/// One libuv loop of a server, and what its models share: listening, the periodic work, and the drain.
///
/// Everything but `stop` and the operations belongs to the loop's thread.
// @unchecked Sendable: handed from the thread that starts it to the one that runs it, and used by one at a time.
final class LoopWorker: @unchecked Sendable {
    let loop: UVLoop
    let operations: Operations
    private let stops = Atomic<Int>(0)
    private let wakeUp: UVAsync.Gate
    private let model: any LoopModel
    private let listener: UVTCPListener
    private let timer: UVTimer
    /// Measures the iterations, if the server measures.
    private var iterationEnd: UVPrepare?
    private var isDraining = false
    /// Connections that this pass of the sweep covers.
    private var swept: [UVStream] = []
    private var part = Schedule.Part()
    private var droppedByteCount = 0
    private var reportedDrops = 0

    /// Makes the loop and its handles.
    init(
        _ configuration: ServerConfiguration, _ model: any LoopModel, _ admission: Admission, _ logger: Logger
    ) throws(UVError) {
        let readSize = max(1, min(128 * 1024, configuration.maxBufferedBytes / 2))
        loop = try UVLoop(configuration: .init(readBufferSize: readSize))
        operations = Operations(configuration, admission, readSize: readSize, isLoop: true, logger)
        self.model = model
        listener = try UVTCPListener(on: loop)
        timer = try UVTimer(on: loop)
        timer.unref()
        var stopped: () -> Void = {}
        let wakeUp = try UVAsync(on: loop) { _ in stopped() }
        wakeUp.unref()
        self.wakeUp = wakeUp.sender
        stopped = { [unowned self] in stopRequested() }
        if configuration.measures { try measureIterations() }
        try scheduleTick()
    }

    /// Drains the loop's connections; a second call closes them at once.
    ///
    /// Callable from any thread and in signal handlers.
    func stop() {
        stops.add(1, ordering: .releasing)
        wakeUp.send()
    }

    // MARK: Listening

    /// Binds and listens.
    func start(at address: SocketAddress, sharesPort: Bool) throws(UVError) -> SocketAddress {
        try listener.bind(to: address, sharesPort: sharesPort)
        return try listen()
    }

    /// Listens on a socket that other loops and processes share, through a descriptor of its own.
    func start(sharing shared: SharedListener) throws(UVError) -> SocketAddress {
        let number: Int32
        do throws(SystemCallError) { number = try shared.socket.duplicate() } catch {
            throw UVError(systemCode: error.code, operation: error.call)
        }
        do throws(UVError) { try listener.adopt(descriptor: number) } catch {
            StreamSocket.close(number)
            throw error
        }
        return try listen()
    }

    private func listen() throws(UVError) -> SocketAddress {
        // On Linux, accepted connections inherit the option.
        try listener.setNoDelay(true)
        try listener.listen(backlog: operations.configuration.backlog) { [unowned self] listener, error in
            if let error { return acceptFailed(error) }
            do throws(UVError) { begin(try listener.accept()) } catch { reject(.failure, "\(error)") }
        }
        return try listener.localAddress
    }

    /// The listener has closed clients because no descriptor was free, and reports that at most once a second.
    private func acceptFailed(_ error: UVError) {
        let count = listener.shedConnections - reportedDrops
        reportedDrops = listener.shedConnections
        reject(.descriptors, "\(error)", count: count)
    }

    func begin(_ stream: UVTCPStream) {
        do throws(UVError) { try model.begin(stream, on: self) } catch {
            // The peer has reset the connection already.
            operations.log.logger.debug("a connection failed at once", metadata: ["error": "\(error)"])
            if let connection = stream.context as? LoopConnection { return close(connection, stream) }
            stream.close()
        }
    }

    private func reject(_ reason: RejectionReason, _ detail: String, count: Int = 1) {
        operations.reject(reason, detail, count: count)
        try? scheduleTick()
    }

    /// Accepts the connections that the kernel has queued, which the listener's close would reset.
    ///
    /// Accepts at most as many as the queue holds, so that new clients cannot delay the drain. Those on an
    /// inherited socket belong to the next process.
    private func acceptQueued() {
        guard operations.configuration.inheritedListener == nil, let listening = listener.descriptor else { return }
        for _ in 0...operations.configuration.backlog {
            guard let number = ListeningSocket.acceptWaiting(on: listening) else { return }
            do throws(UVError) {
                let stream = try UVTCPStream(on: loop)
                do throws(UVError) { try stream.adopt(descriptor: number) } catch {
                    stream.close()
                    throw error
                }
                begin(stream)
            } catch {
                StreamSocket.close(number)
                return reject(.failure, "\(error)")
            }
        }
    }

    // MARK: Running

    /// Serves until stopped; everything is closed when it returns.
    func run() throws(UVError) {
        try loop.run()
        operations.finish()
        publishByteCounts()
        try loop.close()
    }

    /// Closes a loop that does not run.
    func abandon() { _ = try? loop.close() }

    private func scheduleTick() throws(UVError) {
        guard let delay = operations.untilNextTick else { return }
        try timer.start(after: max(delay, .milliseconds(1))) { [unowned self] _ in
            if operations.tick(), !isDraining { sweepPart() }
            if operations.measures {
                let ledger = loop.ledger
                operations.counters.setBuffers(made: ledger.made, pooled: ledger.pooled, inFlight: ledger.inFlight)
            }
            try? scheduleTick()
        }
    }

    /// Measures each iteration that brings bytes, from its first bytes to the next wait.
    ///
    /// libuv runs callbacks within its wait, and measuring the time that it waited would cost a system call per iteration.
    private func measureIterations() throws(UVError) {
        let prepare = try UVPrepare(on: loop)
        prepare.unref()
        try prepare.start { [unowned self] _ in
            operations.counters.iterationEnded()
            publishByteCounts()
        }
        iterationEnd = prepare
    }

    /// Copies the bytes that the loop has counted into the counters that other threads read.
    private func publishByteCounts() {
        let counts = loop.byteCounts
        operations.counters.received.set(Int(clamping: counts.read) - droppedByteCount)
        operations.counters.sent.set(Int(clamping: counts.written))
    }
}

// MARK: - Connections

extension LoopWorker {
    /// Admits a connection, and begins its session.
    ///
    /// - Returns: `nil` if the connection is rejected: close it.
    func admit(_ stream: UVTCPStream) -> (number: UInt32, session: ServerSession)? {
        guard let descriptor = stream.descriptor else { return nil }
        // The last descriptors stay free: libuv 1.44 closes clients silently once there is none. The kernel hands out the
        // lowest free number.
        if let limit = try? DescriptorLimit.current().soft, limit > 4, Int(descriptor) >= limit - 4 {
            reject(.descriptors, "the limit of \(limit) descriptors is reached")
            return nil
        }
        guard operations.admit() else {
            try? scheduleTick()
            return nil
        }
        return operations.open(descriptor)
    }

    /// Counts bytes that are not the client's: a proxy's header, or bytes after the server's FIN.
    func dropped(_ byteCount: Int) { droppedByteCount += byteCount }

    /// Parses bytes of a proxy's header.
    ///
    /// - Returns: how many bytes belonged to it; `nil` if it is not complete, or invalid and the connection closed.
    func receiveHeader(_ bytes: Span<UInt8>, _ connection: LoopConnection, _ stream: UVStream) -> Int? {
        guard let descriptor = stream.descriptor else { return nil }
        switch operations.receiveHeader(bytes, connection.number, descriptor) {
        case .incomplete: dropped(bytes.count)
        case .invalid: close(connection, stream)
        case .complete(let count):
            dropped(count)
            connection.update { $0.proxyHeaderEnded() }
            return count
        }
        return nil
    }

    /// The stream's write queue has grown or shrunk.
    func bufferChanged(_ connection: LoopConnection, _ stream: UVStream) {
        guard let descriptor = stream.descriptor else { return }
        let count = stream.writeQueueSize
        guard
            operations.bufferChanged(
                from: Int(connection.bufferedByteCount), to: count, connection.number, descriptor)
        else { return close(connection, stream) }
        connection.bufferedByteCount = UInt32(clamping: count)
    }

    /// Delays partial segments, so that FIN leaves in the same segment as the next reply.
    func cork(_ stream: UVStream) { if let descriptor = stream.descriptor { StreamSocket.cork(descriptor) } }

    /// Sends FIN, unless reply bytes are still queued; a sweep then sends it later.
    func shutDown(_ connection: LoopConnection, _ stream: UVStream) {
        guard stream.writeQueueSize == 0, let descriptor = stream.descriptor else { return }
        let decision = connection.update { operations.shutDown(descriptor, &$0) }
        if decision == .close { close(connection, stream) }
    }

    /// Closes a connection, and releases what it holds, once.
    func close(_ connection: LoopConnection, _ stream: UVStream) {
        if connection.update({ $0.didClose() }) {
            operations.close(connection.number, bufferedByteCount: Int(connection.bufferedByteCount))
        }
        stream.close()
    }

    private func forEachConnection(_ body: (LoopConnection, UVStream) -> Void) {
        loop.walk { handle in
            guard let stream = handle as? UVStream, let connection = stream.context as? LoopConnection else { return }
            body(connection, stream)
        }
    }
}

// MARK: - Sweep and drain

extension LoopWorker {
    private func sweep(_ connection: LoopConnection, _ stream: UVStream) {
        if connection.bufferedByteCount > 0 { bufferChanged(connection, stream) }
        guard let descriptor = stream.descriptor else { return }
        let decision = connection.update {
            operations.sweep(
                connection.number, descriptor, &$0, bufferedByteCount: stream.writeQueueSize,
                receivedByteCount: connection.receivedByteCount)
        }
        if decision == .close { close(connection, stream) }
    }

    private func sweepPart() {
        if swept.isEmpty { forEachConnection { swept.append($1) } }
        let range = part.range(of: swept.count)
        for stream in swept[range] {
            if let connection = stream.context as? LoopConnection { sweep(connection, stream) }
        }
        if range.upperBound == swept.count { swept = [] }
    }

    /// Drains when the server is told to stop, and closes everything when it is told again.
    private func stopRequested() {
        let stops = stops.load(ordering: .acquiring)
        if stops > 0, !isDraining {
            isDraining = true
            if stops == 1 { acceptQueued() }
            listener.close()
            drain()
        }
        if stops > 1 { forEachConnection(close) }
    }

    private func drain() {
        operations.log.draining(operations.openCount)
        swept = []
        forEachConnection { connection, stream in
            let decision = connection.update { $0.beginDrain() }
            if decision == .close { close(connection, stream) } else { sweep(connection, stream) }
        }
        guard operations.openCount > 0 else { return }
        let deadline = operations.now + operations.configuration.drainTimeout
        do throws(UVError) {
            let timer = try UVTimer(on: loop)
            let interval = ServerSession.drainInterval
            try timer.start(after: interval, repeating: interval) { [self] timer in
                if operations.now >= deadline { endDrain() } else { forEachConnection(sweep) }
                if operations.openCount == 0 { timer.close() }
            }
        } catch { forEachConnection(close) }
    }

    /// The drain has timed out: each connection closes after the bytes that the kernel has accepted.
    private func endDrain() {
        forEachConnection { connection, stream in
            if let descriptor = stream.descriptor { try? StreamSocket.shutdown(.write, on: descriptor) }
            close(connection, stream)
        }
    }
}
