internal import IncrementProtocol
internal import SystemCalls

extension ReadinessLoop where Waiting: ~Copyable {
    /// Accepts no more.
    mutating func drain() throws(SystemCallError) {
        // Those that wait for the listener would be reset when it closes; at a socket that was handed over, they belong
        // to the next process.
        if configuration.inheritedListener == nil { try acceptWaiting() }
        if let listener { try poller.remove(listener.socket.rawValue) }
        listener = nil
        log.draining(openCount)
        for row in connections.indices {
            switch connections[row].phase {
            case .serving: connections[row].phase = .draining
            // Nothing has been said yet on either side.
            case .awaitingHeader: close(Int32(row))
            case .free, .ending, .draining, .lingering: continue
            }
        }
    }

    /// Ends this side of each connection that has been silent for long enough.
    mutating func endQuiet() {
        for row in connections.indices {
            let connection = connections[row]
            let descriptor = Int32(row)
            guard connection.phase == .draining, !connection.hasPending,
                StreamSocket.unreadByteCount(on: descriptor) == 0,
                DrainRules.mayEnd(isInMessage: connection.machine.isInMessage, TCPState(of: descriptor))
            else { continue }
            endThisSide(descriptor)
        }
    }

    /// Ends this side.
    ///
    /// What still comes is read and dropped, so that no reset overtakes the answers.
    mutating func endThisSide(_ descriptor: Int32) {
        do throws(SystemCallError) { try StreamSocket.shutdown(.write, on: descriptor) } catch {
            return close(descriptor)
        }
        connections[Int(descriptor)].phase = .lingering
        lingering.append((descriptor, ContinuousClock.now))
        updateInterest(descriptor)
    }

    /// Closes what has lingered long enough.
    ///
    /// No connection is accepted any more, so that no number is used twice.
    mutating func closeLingering() {
        let now = ContinuousClock.now
        for entry in lingering
        where DrainRules.mayClose(sinceEnd: entry.end.duration(to: now), TCPState(of: entry.descriptor)) {
            close(entry.descriptor)
        }
        lingering.removeAll { connections[Int($0.descriptor)].phase == .free }
    }

    /// Closes what is left; in order, behind what the kernel has taken.
    mutating func closeAll(inOrder isOrderly: Bool) {
        for row in connections.indices where connections[row].phase != .free {
            if isOrderly { try? StreamSocket.shutdown(.write, on: Int32(row)) }
            close(Int32(row))
        }
    }
}
