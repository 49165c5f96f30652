internal import CLibUV
public import SocketAddresses
internal import Synchronization

// @unchecked Sendable: every function does its work on the loop's thread, and the byte count is atomic.
/// A datagram socket whose `receive` and `send` functions suspend the calling task while they wait.
///
/// **Executor.** A socket may be passed to other tasks, stored anywhere, and used on any executor. It costs least in
/// tasks of its loop (`UVLoop.run`, `UVLoop.task`) and in a `UVActor`. A call from any other executor switches to the
/// loop and back.
///
/// **Order.** One task may receive while others send. If a second task receives at the same time, its call throws
/// `busy`.
///
/// **Back-pressure.** The socket receives only after a task has called `receive`. When `receiveLimit` is reached, new
/// datagrams stay in the kernel, which drops those that do not fit into its buffer (`UVUDP.setReceiveBufferSize`).
///
/// **Cancellation.** A task that is cancelled while it waits is resumed immediately with `cancelled`. No datagram is
/// lost or sent twice as a result.
@safe
public final class UVDatagramSocket: @unchecked Sendable {
    /// The socket, for access to its options and addresses.
    ///
    /// Only this object may receive from the socket. Use the socket only on the loop. On any other thread, this
    /// property terminates the process with a message, even in release builds. `withSocket` is callable on any
    /// executor.
    public var socket: UVUDP {
        loop.checkIsolated("UVDatagramSocket.socket")
        return handle
    }

    /// The loop to which the socket belongs.
    public let loop: UVLoop

    let handle: UVUDP
    private let receiveLimit: Int
    /// A copy of the byte count in `received`, for other threads.
    private let byteCount = Atomic<Int>(0)
    private var received = ReceivedDatagrams()
    private var isReceiving = false
    private var waiter: PendingOperation<Void>?
    /// Whether `serve` is running.
    var isServing = false

    /// Makes a datagram socket from a socket that is not receiving.
    ///
    /// - Parameters:
    ///   - socket: the socket, which may be bound and connected.
    ///   - receiveLimit: the byte limit on the memory of received datagrams that no task has taken yet. The last
    ///     datagram may exceed the limit, or the last batch if the socket receives batches.
    /// - Throws: `alreadyInProgress` if the socket already has a closure for its events; `invalidArgument` if the
    ///   socket is closing. In either case, the caller still owns the socket.
    public init(_ socket: UVUDP, receiveLimit: Int = 256 * 1024) throws(UVError) {
        handle = socket
        self.receiveLimit = max(1, receiveLimit)
        loop = socket.loop
        // The closure retains this object until the socket has closed.
        try socket.onEvent { [self] _, event in happened(event) }
    }

    private func happened(_ event: borrowing UVUDPEvent) {
        switch event {
        case .datagram(let bytes, let sender, let isTruncated):
            unsafe received.append(bytes, sender: sender, isTruncated: isTruncated, from: loop.pool)
        case .failed(let error): received.append(error)
        case .closed:
            isReceiving = false
            received = ReceivedDatagrams()
            publishByteCount()
            return wake(.failure(UVDatagramSocket.cancelled))
        }
        publishByteCount()
        if isReceiving, received.byteCount >= receiveLimit {
            isReceiving = false
            handle.stopReceivingAfterBatch()
        }
        wake(.success(()))
    }

    private func wake(_ result: sending Result<Void, UVError>) {
        let waiter = self.waiter
        self.waiter = nil
        waiter?.complete(result)
    }

    /// Returns the next datagram, and suspends while there is none.
    ///
    /// - Returns: the datagram, which the caller owns.
    /// - Throws: `cancelled` if the task is cancelled or the socket is closed; `busy` if another task is receiving;
    ///   otherwise an error that the socket has reported, for example `connectionRefused` on a connected socket. Each
    ///   such error is thrown once, in order of arrival, and the next call continues to receive.
    public nonisolated(nonsending) func receive() async throws(UVError) -> UVDatagram {
        while true {
            // Check the thread in each iteration, because a task that has waited may continue on another thread.
            guard loop.isRunningHere else { return try await receiveElsewhere() }
            if handle.isClosing { throw UVDatagramSocket.cancelled }
            if let datagram = try takeFirst() {
                if received.byteCount < receiveLimit / 2 { try receiveOn() }
                return datagram
            }
            try await waitForDatagram()
        }
    }

    /// Returns the next datagram like `receive`, but drops the errors that the socket has reported.
    ///
    /// Call this function only if `loop.staysHere()` is `true`.
    ///
    /// - Throws: the same errors as `receive`, except those that the socket has reported.
    nonisolated(nonsending) func receiveSkippingFailures() async throws(UVError) -> UVDatagram {
        while true {
            if handle.isClosing || Task.isCancelled { throw UVDatagramSocket.cancelled }
            while !received.isEmpty {
                let next: UVDatagram?
                do throws(UVError) { next = try takeFirst() } catch { continue }
                guard let datagram = next else { continue }
                if received.byteCount < receiveLimit / 2 { try receiveOn() }
                return datagram
            }
            try await waitForDatagram()
        }
    }

    /// Suspends until a datagram or an error has arrived.
    private nonisolated(nonsending) func waitForDatagram() async throws(UVError) {
        if waiter != nil { throw UVError(.busy, operation: "uv_udp_recv_start") }
        try await loop.waitFor("uv_udp_recv_start") { operation throws(UVError) in try wait(operation) }
    }

    @inline(never)
    private nonisolated(nonsending) func receiveElsewhere() async throws(UVError) -> UVDatagram {
        try await loop.visit("uv_udp_recv_start") { () async throws(UVError) in try await self.receive() }
    }

    private func takeFirst() throws(UVError) -> UVDatagram? {
        defer { publishByteCount() }
        return try received.takeFirst()
    }

    private func publishByteCount() { byteCount.store(received.byteCount, ordering: .relaxed) }

    private func wait(_ operation: PendingOperation<Void>) throws(UVError) -> (() -> Void)? {
        try receiveOn()
        waiter = operation
        return { [self] in wake(.failure(UVDatagramSocket.cancelled)) }
    }

    /// Starts receiving, unless the socket is already receiving.
    private func receiveOn() throws(UVError) {
        guard !isReceiving else { return }
        // A socket that will stop at the end of a batch is still receiving, so it must stop before it can resume.
        handle.stopReceiving()
        try handle.resumeReceiving()
        isReceiving = true
    }

    private static var cancelled: UVError { UVError(.cancelled, operation: "uv_udp_recv_start") }

    /// The memory of received datagrams that no task has taken yet, in bytes.
    ///
    /// Callable from any thread.
    public var receivedByteCount: Int { byteCount.load(ordering: .relaxed) }
}

extension UVDatagramSocket {
    /// Calls `body` on the loop with the socket, for access to its options and addresses.
    ///
    /// Callable on any executor.
    ///
    /// - Returns: the value that `body` returns.
    /// - Throws: the error that `body` throws; `cancelled` if the call comes from another executor and the loop is
    ///   closing or closed.
    public nonisolated(nonsending) func withSocket<Outcome: Sendable>(
        _ body: @Sendable (UVUDP) throws(UVError) -> Outcome
    ) async throws(UVError) -> Outcome {
        guard loop.isRunningHere else {
            return try await loop.visit("UVDatagramSocket.withSocket") { () async throws(UVError) in
                try body(self.handle)
            }
        }
        return try body(handle)
    }

    /// Closes the socket (`uv_close`), and suspends until it has closed, even if the task is cancelled.
    public nonisolated(nonsending) func close() async {
        await loop.close(handle)
    }
}

extension UVLoop {
    /// Makes a datagram socket, calls `body` with it, and closes it when `body` returns or throws.
    ///
    /// Callable on any executor. `body` runs on the caller's executor.
    ///
    /// - Parameters:
    ///   - local: the address to bind to. Port 0 picks a free port. With `nil`, the first `send` or `receive` binds the
    ///     socket.
    ///   - remote: the address to connect to. With `nil`, the socket is not connected.
    ///   - options: the options for binding.
    ///   - receivesBatches: whether up to 20 datagrams are received with one system call.
    ///   - receiveLimit: the byte limit on the memory of received datagrams that no task has taken yet.
    ///   - body: uses the socket.
    /// - Returns: the value that `body` returns.
    /// - Throws: `UVError` if the socket cannot be made, for example `addressInUse`; otherwise the error that `body`
    ///   throws.
    public nonisolated(nonsending) func withDatagramSocket<Outcome>(
        on local: SocketAddress? = nil, to remote: SocketAddress? = nil, options: UVUDP.BindOptions = [],
        receivesBatches: Bool = false, receiveLimit: Int = 256 * 1024,
        _ body: nonisolated(nonsending) (UVDatagramSocket) async throws -> Outcome
    ) async throws -> Outcome {
        let open: @Sendable () throws(UVError) -> UVDatagramSocket = { () throws(UVError) in
            try self.openDatagramSocket(
                on: local, to: remote, options: options, receivesBatches: receivesBatches, receiveLimit: receiveLimit)
        }
        let socket: UVDatagramSocket
        if isRunningHere {
            socket = try open()
        } else {
            socket = try await visit("uv_udp_init") { () async throws(UVError) in try open() }
        }
        let outcome: Outcome
        do { outcome = try await body(socket) } catch {
            await socket.close()
            throw error
        }
        await socket.close()
        return outcome
    }

    private func openDatagramSocket(
        on local: SocketAddress?, to remote: SocketAddress?, options: UVUDP.BindOptions, receivesBatches: Bool,
        receiveLimit: Int
    ) throws(UVError) -> UVDatagramSocket {
        let socket = try UVUDP(on: self, receivesBatches: receivesBatches)
        do throws(UVError) {
            if let local { try socket.bind(to: local, options: options) }
            if let remote { try socket.connect(to: remote) }
            return try UVDatagramSocket(socket, receiveLimit: receiveLimit)
        } catch {
            socket.close()
            throw error
        }
    }
}
