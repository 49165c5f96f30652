internal import IncrementProtocol
internal import ProxyProtocol
internal import SystemCalls

extension BlockingConversation {
    /// Reads the header that a proxy sends before the client's first byte, and leaves what came behind it.
    ///
    /// - Returns: whether a good header has come in time.
    mutating func readHeader(from socket: borrowing StreamSocket) -> Bool {
        var parser = ProxyHeaderParser()
        let deadline = ContinuousClock.now.advanced(by: TrustedProxies.timeout)
        while service.stopCount == 0 {
            let left = ContinuousClock.now.duration(to: deadline)
            // A proxy that breaks off, as one that only looks whether the port is open, is nobody's concern.
            guard
                let result = left > .zero ? try? receive(from: socket, within: left) : .wouldBlock, result != .end
            else { return false }
            if result == .wouldBlock {
                service.end(place, socket.rawValue, because: TrustedProxies.tooLate)
                return false
            }
            switch input.withBytes({ parser.receive($0) }) {
            case .incomplete: continue
            case .malformed(let error):
                service.end(place, socket.rawValue, because: TrustedProxies.end(error))
                return false
            case .complete(let header, let count):
                service.forwards(header.source, at: place, on: socket.rawValue)
                input.removeFirst(count)
                return (try? socket.setReceiveTimeout(.zero)) != nil
            }
        }
        return false
    }

    private mutating func receive(
        from socket: borrowing StreamSocket, within time: Duration
    ) throws(SystemCallError) -> IOResult {
        try socket.setReceiveTimeout(time)
        return try input.fill { output throws(SystemCallError) in
            try StreamSocket.receive(on: socket.rawValue, into: &output)
        }
    }

    /// Sends the greeting, and answers what came behind a proxy's header.
    mutating func answerFirst(
        _ machine: inout ServerMachine, _ socket: borrowing StreamSocket
    ) throws(SystemCallError) -> Bool {
        guard try send(on: socket) else { return false }
        outcome.receivedBytes &+= input.count
        return try answerAttentively(&machine, socket)
    }
}
