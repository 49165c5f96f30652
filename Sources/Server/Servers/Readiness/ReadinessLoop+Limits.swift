internal import IncrementProtocol
internal import SystemCalls

extension ReadinessLoop where Waiting: ~Copyable {
    /// Looks at some of the connections, and at all of them in the limits' interval.
    mutating func watchConnections() {
        let count = connections.count / ConnectionLimits.parts + 1
        for _ in 0..<min(count, connections.count) {
            if nextRow >= connections.count { nextRow = 0 }
            look(at: Int32(nextRow))
            nextRow += 1
        }
    }

    private mutating func look(at descriptor: Int32) {
        let connection = connections[Int(descriptor)]
        guard connection.phase != .free, let state = TCPState(of: descriptor),
            let end = watch.look(at: connection.number, state, isInMessage: connection.machine.isInMessage, now: now)
        else { return }
        self.end(descriptor, because: end)
    }
}
