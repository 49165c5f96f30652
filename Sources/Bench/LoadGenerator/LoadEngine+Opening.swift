internal import IncrementProtocol
internal import SocketAddresses
internal import SystemCalls

extension LoadEngine {
    /// How many connections are being opened at once: fewer than any backlog holds.
    private static var openingLimit: Int { 128 }

    /// Own addresses with their ports, for loads that make many connections.
    private static var sourceCount: UInt32 { 250 * 59_000 }

    /// Opens every connection that stays, and waits for the greetings.
    mutating func openAll() throws(LoadError) {
        let firsts = plan.countForEachTarget
        try checkDescriptorLimit()
        var started = 0
        now = MonotonicTime.nanoseconds()
        lastReceived = now
        // Elsewhere in each run, for the addresses of the one before rest for a minute.
        nextSource = UInt32(truncatingIfNeeded: now / 1024) % LoadEngine.sourceCount
        let wanted = connectsForEachRequest ? connections.count - plan.count * plan.targets.count : connections.count
        var begun = 0
        while openCount < wanted {
            while started < connections.count, begun - openCount < LoadEngine.openingLimit {
                if !(connectsForEachRequest && started % firsts < plan.count) {
                    begun += 1
                    try connect(started)
                }
                started += 1
            }
            try turn(until: now &+ 100_000_000)
            if let failure { throw failure }
            if openCount < wanted, now &- lastReceived > timeout {
                throw LoadError(
                    "\(wanted - openCount) of \(wanted) connections to \(targetNames) were not greeted within "
                        + "\(plan.timeout); a server that serves fewer clients at once needs fewer connections")
            }
        }
    }

    private var targetNames: String { plan.targets.map { "\($0)" }.joined(separator: ", ") }

    private func checkDescriptorLimit() throws(LoadError) {
        // What the process has open otherwise is little.
        let needed = connections.count + 64
        guard let limit = try? DescriptorLimit.current(), limit.soft < needed else { return }
        try? DescriptorLimit.set(soft: needed)
        guard let raised = try? DescriptorLimit.current(), raised.soft < needed else { return }
        throw LoadError(
            "\(connections.count) connections need \(needed) descriptors, and this process may open \(raised.soft); "
                + "raise the limit (ulimit -n) or use fewer connections")
    }

    /// Begins to open a connection.
    mutating func connect(_ index: Int) throws(LoadError) {
        let target = plan.targets[Int(connections[index].variant)]
        let descriptor = try start(to: target)
        connections[index].descriptor = descriptor
        connections[index].phase = .opening
        connections[index].sentByteCount = 0
        connections[index].waitsToSend = false
        do throws(SystemCallError) { try poller.add(descriptor, .readable, as: Int32(truncatingIfNeeded: index)) } catch
        {
            throw LoadError("a connection to \(target) cannot be waited for (\(error))")
        }
    }

    private mutating func start(to target: SocketAddress) throws(LoadError) -> Int32 {
        var attempts = 0
        while true {
            do throws(SystemCallError) {
                return try StreamSocket.startConnecting(to: target, from: nextSourceAddress(towards: target)).release()
            } catch {
                attempts += 1
                // Somebody has that port, or had it a moment ago.
                let isTaken = error.code == Errno.addressNotAvailable || error.code == Errno.addressInUse
                if isTaken, connectsForEachRequest, attempts < 1000 { continue }
                throw LoadEngine.unreachable(target, error)
            }
        }
    }

    /// Another own address for each connection of a load that makes many to this machine: fifteen million of them.
    ///
    /// Left to the kernel, the 28 000 ports of one address would be used up in seconds, each for a minute.
    private mutating func nextSourceAddress(towards target: SocketAddress) -> SocketAddress? {
        guard connectsForEachRequest, case .v4(let bits) = target.ip, bits >> 24 == 127 else { return nil }
        nextSource = (nextSource &+ 1) % LoadEngine.sourceCount
        return SocketAddress(
            .v4(0x7F00_0002 &+ nextSource % 250), port: UInt16(truncatingIfNeeded: 2000 &+ nextSource / 250))
    }

    private static func unreachable(_ target: SocketAddress, _ error: SystemCallError) -> LoadError {
        let advice =
            switch error.code {
            case Errno.connectionRefused: "; does a server listen there? 'uvserver serve' starts one"
            case Errno.addressNotAvailable: "; no local port is left: use a lower --rate or a shorter run"
            default: ""
            }
        return LoadError("cannot connect to \(target): \(error.message)\(advice)")
    }

    /// A connection that is being opened has got its greeting, or has failed.
    mutating func greeted(_ index: Int) {
        let target = plan.targets[Int(connections[index].variant)]
        let descriptor = connections[index].descriptor
        let result: IOResult
        do throws(SystemCallError) {
            result = try input.fill(limit: 1) { output throws(SystemCallError) in
                try StreamSocket.receive(on: descriptor, into: &output)
            }
        } catch { return failToOpen(index, LoadEngine.unreachable(target, error)) }
        switch result {
        case .wouldBlock: return
        case .end: return failToOpen(index, LoadError("\(target) ended a connection without greeting it"))
        case .bytes: break
        }
        let byte = input.withBytes { $0[0] }
        guard byte == ServerMachine.greeting else {
            return failToOpen(
                index,
                LoadError("\(target) greeted with \(byte.hexadecimal) instead of '*'; does it speak this protocol?"))
        }
        opened(index, descriptor)
    }

    private mutating func opened(_ index: Int, _ descriptor: Int32) {
        now = MonotonicTime.nanoseconds()
        lastReceived = now
        connections[index].phase = .open
        openCount += 1
        if takesTimestamps, connections[index].role == .requests {
            do throws(SystemCallError) { try KernelTimestamps.enable(on: descriptor) } catch {
                failure = LoadError("the kernel gives no timestamps (\(error)); leave out --kernel-timestamps")
            }
        }
        // Where each request connects, the request has begun with the connect.
        if connections[index].inFlightCount > 0 { send(index) }
    }

    /// A connection that stays must open; one that is opened for a request may fail, and is counted.
    private mutating func failToOpen(_ index: Int, _ reason: LoadError) {
        guard connectsForEachRequest, connections[index].role == .requests else {
            failure = reason
            return
        }
        self[faultsOf: index].failedConnections += 1
        self[faultsOf: index].lostAnswers += connections[index].inFlightCount
        self[faultsOf: index].note(reason.description)
        retire(index)
    }
}

extension UInt8 {
    /// As in `0x2A`.
    var hexadecimal: String { "0x" + (self < 16 ? "0" : "") + String(self, radix: 16, uppercase: true) }
}
