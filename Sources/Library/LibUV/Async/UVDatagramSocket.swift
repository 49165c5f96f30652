internal import CLibUV
public import SocketAddresses

// @unchecked Sendable: every function checks, in release builds too, that it runs on the loop's thread.
/// A socket for datagrams as tasks use it: `receive` and `send` suspend.
///
/// **Executor.** Use it in tasks of its loop (`UVLoop.run`, `Task(executorPreference: loop)`) or in a `UVActor`. It may
/// be passed to another task and kept anywhere; a call from outside of the loop traps, in release builds too.
///
/// **Order.** One task may receive while others send. A second receiver at a time is refused.
///
/// **Back-pressure.** Nothing is received before somebody asks. Beyond `receiveLimit` what comes stays in the kernel,
/// which drops what does not fit into its own buffer (`UVUDP.setReceiveBufferSize`): datagrams know no other way.
///
/// **Cancellation.** A task that is cancelled while it waits is resumed at once with `cancelled`. No datagram is lost
/// or sent twice by it.
@safe
public final class UVDatagramSocket: @unchecked Sendable {
    /// The socket, for its options and addresses; its receiving belongs to this object.
    public let socket: UVUDP

    /// The loop that the socket lives on.
    public let loop: UVLoop

    private let receiveLimit: Int
    private var received = ReceivedDatagrams()
    private var isReceiving = false
    private var waiter: PendingOperation<Void>?

    /// Takes over a socket that does not receive yet.
    ///
    /// - Parameters:
    ///   - socket: bound or not, connected or not.
    ///   - receiveLimit: how much memory the datagrams may take that wait here, in bytes. One may go beyond it, and
    ///     on a socket that receives batches one batch.
    /// - Throws: `alreadyInProgress` where the socket has a closure for its events; `invalidArgument` where it is
    ///   closing. The socket is then still the caller's.
    public init(_ socket: UVUDP, receiveLimit: Int = 256 * 1024) throws(UVError) {
        self.socket = socket
        self.receiveLimit = max(1, receiveLimit)
        loop = socket.loop
        // The closure keeps this object until the socket has closed.
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

    /// The next datagram, suspending while there is none.
    ///
    /// - Returns: the datagram, whose buffer is the caller's.
    /// - Throws: a failure that the socket has told of, once and in its turn, as `connectionRefused` on a connected
    ///   socket; the next call goes on. `cancelled` where the task is cancelled or the socket closed; `busy` where
    ///   another task is receiving.
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

    /// Lets libuv receive, where it does not.
    private func receiveOn() throws(UVError) {
        guard !isReceiving else { return }
        // One that is to stop at the end of a batch is receiving still.
        socket.stopReceiving()
        try socket.resumeReceiving()
        isReceiving = true
    }

    private static var cancelled: UVError { UVError(.cancelled, operation: "uv_udp_recv") }
}

extension UVDatagramSocket {
    /// How much memory the datagrams take that wait to be received, in bytes.
    public var receivedByteCount: Int {
        loop.checkIsolated()
        return received.byteCount
    }

    /// Closes the socket (`uv_close`), and suspends until it has closed; a cancelled task waits too.
    public nonisolated(nonsending) func close() async {
        loop.checkIsolated()
        await loop.close(socket)
    }
}

extension UVLoop {
    /// Makes a socket for datagrams, calls `body` with it, and closes it on every way out.
    ///
    /// - Parameters:
    ///   - local: what to bind to, port 0 taking a free one; `nil` leaves it to the first `send` or `receive`.
    ///   - remote: what to connect to; `nil` leaves the socket unconnected.
    ///   - options: how to bind.
    ///   - receivesBatches: whether up to 20 datagrams are received with one system call.
    ///   - receiveLimit: how much memory the datagrams may take that wait to be received, in bytes.
    ///   - body: uses the socket.
    /// - Returns: what `body` returned.
    /// - Throws: `UVError` where there is no such socket, as `addressInUse`; what `body` threw.
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
