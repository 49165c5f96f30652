internal import IncrementProtocol
internal import SystemCalls

/// One client, served with blocking calls: what the models share that give a thread to a client.
struct BlockingConversation: ~Copyable {
    private var input: ReusableBuffer
    private var output: ReusableBuffer

    /// What one conversation amounted to.
    struct Outcome {
        var receivedBytes = 0
        var sentBytes = 0
        var peakBufferedBytes = 0
    }

    /// Makes the buffers, to be used for one client after the other.
    ///
    /// - Parameter maxBufferedBytes: how many bytes of answers may be held, hence how many are read at once.
    init(maxBufferedBytes: Int) {
        let size = max(1, min(128 * 1024, maxBufferedBytes))
        input = ReusableBuffer(capacity: size)
        output = ReusableBuffer(capacity: size)
    }

    /// Serves a client until it ends its side, or the connection fails.
    ///
    /// - Parameter mayWait: whether to go on waiting for a client that takes no bytes; asked whenever the
    ///   socket's send timeout has passed.
    mutating func serve(_ socket: borrowing StreamSocket, mayWait: () -> Bool) -> Outcome {
        var outcome = Outcome()
        var machine = ServerMachine()
        output.fill { machine.greet(into: &$0) }
        do throws(SystemCallError) {
            while try send(on: socket, &outcome, mayWait) {
                let result = try input.fill { output throws(SystemCallError) in
                    try StreamSocket.receive(on: socket.rawValue, into: &output)
                }
                guard case .bytes(let count) = result else { break }
                outcome.receivedBytes &+= count
                input.withBytes { bytes in _ = output.fill { machine.receive(bytes, into: &$0) } }
            }
            // The end, before the socket closes: the client reads all of its answers, then this.
            try socket.shutdown(.write)
        } catch {
            // The peer's fault, and nobody else's concern.
        }
        return outcome
    }

    /// Sends the output.
    ///
    /// - Returns: whether all of it was sent.
    @inline(__always)
    private borrowing func send(
        on socket: borrowing StreamSocket, _ outcome: inout Outcome, _ mayWait: () -> Bool
    ) throws(SystemCallError) -> Bool {
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
            } else if !mayWait() {
                return false
            }
        }
        return true
    }
}
