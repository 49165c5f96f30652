internal import IncrementProtocol
internal import SystemCalls

/// One client, served with blocking calls: what the models share that give a thread to a client.
struct BlockingConversation: ~Copyable {
    private let service: BlockingService
    private var input: ReusableBuffer
    private var output: ReusableBuffer
    private var outcome = Outcome()
    /// When the drain ends, once the server has been told to stop.
    private var deadline: ContinuousClock.Instant?

    /// What one conversation amounted to.
    struct Outcome {
        var receivedBytes = 0
        var sentBytes = 0
        var peakBufferedBytes = 0
    }

    /// Makes the buffers: no more is read at once than answers may be held.
    init(service: BlockingService) {
        self.service = service
        let size = max(1, min(64 * 1024, service.configuration.maxBufferedBytes))
        input = ReusableBuffer(capacity: size)
        output = ReusableBuffer(capacity: size)
    }

    /// Serves a client until it ends its side, the connection fails, or the server has stopped.
    mutating func serve(_ socket: borrowing StreamSocket) -> Outcome {
        var machine = ServerMachine()
        output.fill { machine.greet(into: &$0) }
        do throws(SystemCallError) {
            while try send(on: socket) {
                let result = try input.fill { output throws(SystemCallError) in
                    try StreamSocket.receive(on: socket.rawValue, into: &output)
                }
                guard case .bytes(let count) = result else { break }
                outcome.receivedBytes &+= count
                input.withBytes { bytes in _ = output.fill { machine.receive(bytes, into: &$0) } }
            }
        } catch {
            // The peer's fault, and nobody else's concern.
        }
        return outcome
    }

    /// Sends the output.
    ///
    /// - Returns: whether all of it was sent, and the client is to be served on.
    @inline(__always)
    private mutating func send(on socket: borrowing StreamSocket) throws(SystemCallError) -> Bool {
        let total = output.count
        if total > outcome.peakBufferedBytes { outcome.peakBufferedBytes = total }
        var sent = 0
        while sent < total {
            let result = try output.withBytes { bytes throws(SystemCallError) in
                try StreamSocket.send(sent == 0 ? bytes : bytes.extracting(sent..<total), on: socket.rawValue)
            }
            if case .bytes(let count) = result {
                sent &+= count
                outcome.sentBytes &+= count
            } else if !mayGoOn() {
                return false
            }
        }
        return service.stopCount == 0 || mayGoOn()
    }

    /// Whether to go on: without end, until the server is stopped; then until the drain's timeout or a second stop.
    @inline(never)
    private mutating func mayGoOn() -> Bool {
        let stops = service.stopCount
        if stops == 0 { return true }
        let end = deadline ?? ContinuousClock.now.advanced(by: service.configuration.drainTimeout)
        deadline = end
        return stops == 1 && ContinuousClock.now < end
    }
}
