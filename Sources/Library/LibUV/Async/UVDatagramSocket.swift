internal import CLibUV
public import SocketAddresses

// @unchecked Sendable: every function checks that it runs on the loop's thread, also in release builds.
/// A datagram socket for use in tasks, whose `receive` and `send` suspend.
///
/// **Executor.** Use a socket in tasks of its loop (`UVLoop.run`, `Task(executorPreference: loop)`) or in a `UVActor`.
/// A socket may be passed to other tasks and stored anywhere. A call outside of the loop traps, also in release builds.
///
/// **Order.** One task may receive while others send. If a second task receives at the same time, its call throws
/// `busy`.
///
/// **Back-pressure.** The socket receives only after a task has called `receive`. When `receiveLimit` is reached,
/// further datagrams stay in the kernel, which drops datagrams that do not fit into its buffer
/// (`UVUDP.setReceiveBufferSize`).
///
/// **Cancellation.** A task that is cancelled while it waits is resumed immediately with `cancelled`. No datagram is
/// lost or sent twice as a result.
@safe
public final class UVDatagramSocket: @unchecked Sendable {
    /// The socket, for access to its options and addresses.
    ///
    /// Only this object may receive from it.
    public let socket: UVUDP

    /// The loop to which the socket belongs.
    public let loop: UVLoop

    private let receiveLimit: Int
    private var received = ReceivedDatagrams()
    private var isReceiving = false
    private var waiter: PendingOperation<Void>?

    /// Makes a datagram socket from a socket that is not receiving.
    ///
    /// - Parameters:
    ///   - socket: the socket, which may be bound and connected.
    ///   - receiveLimit: the limit on the memory of received datagrams that no task has taken yet, in bytes. One
    ///     datagram may exceed the limit, or one batch if the socket receives batches.
    /// - Throws: `alreadyInProgress` if the socket already has a closure for its events; `invalidArgument` if it is
    ///   closing. The caller then still owns the socket.
    public init(_ socket: UVUDP, receiveLimit: Int = 256 * 1024) throws(UVError) {
        self.socket = socket
        self.receiveLimit = max(1, receiveLimit)
        loop = socket.loop
        // The closure retains this object until the socket has closed.
        try socket.attach { [self] _, event in happened(event) }
    }

    private func happened(_ event: borrowing UVUDPEvent) {
        switch event {
        case .datagram(let bytes, let sender, let isTruncated):
            unsafe received.append(bytes, sender: sender, isTruncated: isTruncated, from: loop.pool)
        case .failed(let error): received.append(error)
        case .closed:
            isReceiving = false
            received = ReceivedDatagrams()
            return wake(.failure(UVDatagramSocket.cancelled))
        }
        if isReceiving, received.byteCount >= receiveLimit {
            isReceiving = false
            socket.stopReceivingAfterBatch()
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
    /// - Throws: an error that the socket has reported, once and in order of arrival, for example `connectionRefused`
    ///   on a connected socket. The next call then continues to receive. `cancelled` if the task is cancelled or the
    ///   socket is closed; `busy` if another task is receiving.
    public nonisolated(nonsending) func receive() async throws(UVError) -> UVDatagram {
        loop.checkIsolated()
        while true {
            if socket.isClosing { throw UVDatagramSocket.cancelled }
            if let datagram = try received.takeFirst() {
                if received.byteCount < receiveLimit / 2 { try receiveOn() }
                return datagram
            }
            if waiter != nil { throw UVError(.busy, operation: "uv_udp_recv") }
            try await loop.waitFor("uv_udp_recv") { operation throws(UVError) in try wait(operation) }
        }
    }

    private func wait(_ operation: PendingOperation<Void>) throws(UVError) -> (() -> Void)? {
        try receiveOn()
        waiter = operation
        return { [self] in wake(.failure(UVDatagramSocket.cancelled)) }
    }

    /// Starts receiving, unless the socket is already receiving.
    private func receiveOn() throws(UVError) {
        guard !isReceiving else { return }
        // A socket that will stop at the end of a batch is still receiving.
        socket.stopReceiving()
        try socket.resumeReceiving()
        isReceiving = true
    }

    private static var cancelled: UVError { UVError(.cancelled, operation: "uv_udp_recv") }
}

extension UVDatagramSocket {
    /// The memory of received datagrams that no task has taken yet, in bytes.
    public var receivedByteCount: Int {
        loop.checkIsolated()
        return received.byteCount
    }

    /// Closes the socket (`uv_close`), and suspends until it has closed, even if the task is cancelled.
    public nonisolated(nonsending) func close() async {
        loop.checkIsolated()
        await loop.close(socket)
    }
}

extension UVLoop {
    /// Makes a datagram socket, calls `body` with it, and closes it when `body` returns or throws.
    ///
    /// - Parameters:
    ///   - local: the address to bind to. Port 0 picks a free port. With `nil`, the first `send` or `receive` binds the
    ///     socket.
    ///   - remote: the address to connect to. With `nil`, the socket is not connected.
    ///   - options: the options for binding.
    ///   - receivesBatches: whether up to 20 datagrams are received with one system call.
    ///   - receiveLimit: the limit on the memory of received datagrams that no task has taken yet, in bytes.
    ///   - body: uses the socket.
    /// - Returns: the value that `body` returns.
    /// - Throws: `UVError` if the socket cannot be made, for example `addressInUse`; otherwise the error that `body`
    ///   throws.
    public nonisolated(nonsending) func withDatagramSocket<Outcome>(
        on local: SocketAddress? = nil, to remote: SocketAddress? = nil, options: UVUDP.BindOptions = [],
        receivesBatches: Bool = false, receiveLimit: Int = 256 * 1024,
        _ body: nonisolated(nonsending) (UVDatagramSocket) async throws -> Outcome
    ) async throws -> Outcome {
        checkIsolated()
        let socket = try UVUDP(on: self, receivesBatches: receivesBatches)
        let outcome: Outcome
        do {
            if let local { try socket.bind(to: local, options: options) }
            if let remote { try socket.connect(to: remote) }
            outcome = try await body(UVDatagramSocket(socket, receiveLimit: receiveLimit))
        } catch {
            await close(socket)
            throw error
        }
        await close(socket)
        return outcome
    }
}
