internal import IncrementProtocol
internal import LibUV
internal import Logging
internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

/// The way in which a libuv model serves the connections of a loop.
protocol LoopModel: Sendable {
    /// Makes the worker's listener listen, and begins to serve each client that connects.
    ///
    /// - Returns: the address of the listener.
    func listen(on worker: LoopWorker) throws(UVError) -> SocketAddress

    /// Begins to serve a connection that the worker has accepted.
    ///
    /// - Throws: an error if the connection cannot be served; the caller then closes the connection.
    func begin(_ stream: UVTCPStream, on worker: LoopWorker) throws(UVError)
}

/// Runs one libuv loop of a server.
///
/// A worker contains the parts that the libuv models share: listening, the periodic work, and the drain.
///
/// Only `stop` and the operations may be used from other threads.
// @unchecked Sendable: one thread starts the worker and passes it to another thread, which runs it.
final class LoopWorker: @unchecked Sendable {
    let loop: UVLoop
    let operations: Operations
    private let stops = Atomic<Int>(0)
    private let wakeUp: UVAsync.Sender
    private let model: any LoopModel
    let listener: UVTCPListener
    private let timer: UVTimer
    /// Measures the iterations; `nil` unless `ServerConfiguration.measures` is set.
    private var iterationEnd: UVPrepare?
    private var isDraining = false
    private var drainTimer: UVTimer?
    /// The connections of the current sweep, which runs in parts.
    private var swept: [UVStream] = []
    private var part = Schedule.Part()
    private var droppedByteCount = 0
    private var countedDrops = 0

    /// Makes the loop and its handles.
    ///
    /// - Parameter shared: an inherited socket, which other loops and processes may also use. The loop listens on a
    ///   duplicate of the socket's descriptor. If the parameter is `nil`, `start` binds a new socket.
    init(
        _ configuration: ServerConfiguration, _ model: any LoopModel, _ admission: Admission,
        sharing shared: SharedListener? = nil, _ logger: Logger
    ) throws(UVError) {
        loop = try UVLoop(configuration: .init(readBufferSize: configuration.readSize))
        operations = Operations(configuration, admission, readSize: configuration.readSize, isLoop: true, logger)
        self.model = model
        listener = try LoopWorker.makeListener(loop, sharing: shared)
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

    /// Binds the listener, unless its socket is inherited, and listens.
    ///
    /// - Returns: the address of the listener.
    func start(at address: SocketAddress, sharesPort: Bool) throws(UVError) -> SocketAddress {
        if operations.configuration.inheritedListener == nil { try listener.bind(to: address, sharesPort: sharesPort) }
        // On Linux, accepted connections inherit the option.
        try listener.setNoDelay(true)
        return try model.listen(on: self)
    }

    private static func makeListener(_ loop: UVLoop, sharing shared: SharedListener?) throws(UVError) -> UVTCPListener {
        guard let shared else { return try UVTCPListener(on: loop) }
        let number: Int32
        do throws(SystemCallError) { number = try shared.socket.duplicate() } catch {
            throw UVError(systemCode: error.code, operation: error.call)
        }
        do throws(UVError) { return try UVTCPListener(on: loop, adopting: number) } catch {
            StreamSocket.close(number)
            throw error
        }
    }

    /// Logs an error that the listener has reported; the listener reports the same error at most once per second.
    func acceptFailed(_ error: UVError) {
        if listener.droppedConnectionCount == countedDrops { operations.log.cannotAccept(error) }
        countDropped()
    }

    /// Counts and logs the clients that the listener has closed because no descriptor was free.
    private func countDropped() {
        let count = listener.droppedConnectionCount - countedDrops
        if count == 0 { return }
        countedDrops += count
        reject(.descriptors, "accept found no free descriptor", count: count)
    }

    func begin(_ stream: UVTCPStream) {
        do throws(UVError) { try model.begin(stream, on: self) } catch {
            report(error)
            if let connection = stream.context as? LoopConnection { return close(connection, stream) }
            stream.close()
        }
    }

    /// Counts and logs a rejected client if the error says that the kernel cannot watch the client's socket.
    ///
    /// The function ignores every other error, for example a reset, because it concerns only this client.
    func report(_ error: UVError) { if error.operation == "epoll_ctl" { reject(.failure, "\(error)") } }

    func reject(_ reason: RejectionReason, _ detail: String, count: Int = 1) {
        operations.reject(reason, detail, count: count)
        try? scheduleTick()
    }

    /// Accepts the connections that the server has not begun to serve, because closing the listener would reset them.
    ///
    /// In `async`, the listener may have accepted a connection that the task in `serve` has not taken yet. This
    /// function takes that connection. It then accepts all connections in the kernel's queue. While the function
    /// accepts these connections, no further client enters the queue, so new clients cannot delay the drain. If the
    /// socket is inherited, its queue belongs to the next process, so the function accepts no connection from it.
    private func acceptWaiting() {
        if let stream = try? listener.accept() { begin(stream) }
        guard operations.configuration.inheritedListener == nil, let listening = listener.descriptor else { return }
        ListeningSocket.closeQueue(of: listening)
        while let number = ListeningSocket.acceptWaiting(on: listening) {
            do throws(UVError) { begin(try UVTCPStream(on: loop, adopting: number)) } catch {
                StreamSocket.close(number)
                return reject(.failure, "\(error)")
            }
        }
    }

    // MARK: Running

    /// Serves until the server is stopped and all handles have closed.
    func run() throws(UVError) {
        try loop.run()
        countDropped()
        operations.finish()
        publishByteCounts()
        try loop.close()
    }

    /// Closes a loop that will not run.
    func abandon() { _ = try? loop.close() }

    private func scheduleTick() throws(UVError) {
        guard let delay = operations.untilNextTick else { return }
        try timer.start(after: max(delay, .milliseconds(1))) { [unowned self] _ in
            countDropped()
            if operations.tick(), !isDraining { sweepPart() }
            if operations.measures {
                let buffers = loop.statistics.buffers
                operations.counters.setBuffers(made: buffers.made, pooled: buffers.pooled, inFlight: buffers.inFlight)
            }
            try? scheduleTick()
        }
    }

    /// Measures each iteration that reads bytes, from the first read to the next wait.
    ///
    /// Measuring whole iterations without their wait (`UV_METRICS_IDLE_TIME`) would cost a system call per iteration.
    private func measureIterations() throws(UVError) {
        let prepare = try UVPrepare(on: loop)
        prepare.unref()
        try prepare.start { [unowned self] _ in
            operations.counters.iterationEnded()
            publishByteCounts()
        }
        iterationEnd = prepare
    }

    /// Copies the loop's byte counts to the counters that other threads read.
    private func publishByteCounts() {
        let statistics = loop.statistics
        operations.counters.received.set(Int(clamping: statistics.readByteCount) - droppedByteCount)
        operations.counters.sent.set(Int(clamping: statistics.writtenByteCount))
    }
}

// MARK: - Connections

extension LoopWorker {
    /// Admits a connection, and begins its session.
    ///
    /// - Returns: the connection's number and session, or `nil` if the connection is rejected. In that case, the caller
    ///   closes the connection.
    func admit(_ stream: UVStream) -> (number: UInt32, session: ServerSession)? {
        guard let descriptor = stream.descriptor else { return nil }
        guard operations.admit() else {
            try? scheduleTick()
            return nil
        }
        return operations.open(descriptor)
    }

    /// Excludes bytes from the count of received bytes: a proxy's header, or bytes after the server's FIN.
    func dropped(_ byteCount: Int) { droppedByteCount += byteCount }

    /// Parses bytes of a proxy's header.
    ///
    /// - Returns: the number of bytes that belong to the complete header. Returns `nil` if the header is incomplete.
    ///   Also returns `nil` if the header is invalid; the function has then closed the connection.
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

    /// Updates the count of buffered bytes after the stream's write queue has changed.
    func bufferChanged(_ connection: LoopConnection, _ stream: UVStream) {
        guard let descriptor = stream.descriptor else { return }
        let count = stream.writeQueueSize
        let before = Int(connection.bufferedByteCount)
        guard operations.bufferChanged(from: before, to: count, connection.number, descriptor) else {
            return close(connection, stream)
        }
        connection.bufferedByteCount = UInt32(clamping: count)
    }

    /// Delays partial segments, so that FIN is sent in the same segment as the next reply.
    func cork(_ stream: UVStream) { if let descriptor = stream.descriptor { StreamSocket.cork(descriptor) } }

    /// Sends FIN, unless reply bytes are still queued; in that case, a later sweep sends FIN.
    func shutDown(_ connection: LoopConnection, _ stream: UVStream) {
        guard let descriptor = stream.descriptor else { return }
        let decision = connection.update {
            operations.shutDown(descriptor, &$0, bufferedByteCount: stream.writeQueueSize)
        }
        if decision == .close { close(connection, stream) }
    }

    /// Closes a connection; only the first call releases the connection's slot and its buffered bytes.
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

    /// Begins the drain after the first requested stop, and closes all connections after the second requested stop.
    private func stopRequested() {
        let stops = stops.load(ordering: .acquiring)
        if stops > 0, !isDraining {
            isDraining = true
            if stops == 1 { acceptWaiting() }
            listener.close()
            operations.log.draining(operations.openCount)
            swept = []
            forEachConnection(drain)
        }
        if stops > 1 { forEachConnection(close) }
    }

    /// Begins to drain a connection.
    ///
    /// `joinDrain` calls this function for a connection that the worker begins to serve during the drain.
    private func drain(_ connection: LoopConnection, _ stream: UVStream) {
        let decision = connection.update { $0.beginDrain() }
        if decision == .close { return close(connection, stream) }
        sweep(connection, stream)
        if drainTimer == nil, operations.openCount > 0 { sweepUntilDrained() }
    }

    /// Includes a new connection in the drain, if a drain has begun.
    func joinDrain(_ connection: LoopConnection, _ stream: UVStream) {
        guard isDraining else { return }
        if stops.load(ordering: .acquiring) > 1 { close(connection, stream) } else { drain(connection, stream) }
    }

    private func sweepUntilDrained() {
        let deadline = operations.drainDeadline
        do throws(UVError) {
            let timer = try UVTimer(on: loop)
            drainTimer = timer
            let interval = ServerSession.drainInterval
            try timer.start(after: interval, repeating: interval) { [self] timer in
                if operations.now >= deadline { endDrain() } else { forEachConnection(sweep) }
                if operations.openCount > 0 { return }
                timer.close()
                drainTimer = nil
            }
        } catch { forEachConnection(close) }
    }

    /// Closes all connections after the drain has timed out.
    ///
    /// On each connection, the kernel first sends the bytes that it has accepted, and then FIN.
    private func endDrain() {
        forEachConnection { connection, stream in
            if let descriptor = stream.descriptor { Operations.sendFinalFIN(descriptor) }
            close(connection, stream)
        }
    }
}
