internal import IncrementProtocol
internal import SystemCalls

// Opens the connections of a load and receives the greetings.
extension LoadEngine {
    /// The maximum number of connections that are opened at the same time.
    ///
    /// The number is smaller than any usual listen backlog.
    private static var openingLimit: Int { 128 }

    /// Opens every connection that exists for the whole load and waits for the greetings.
    mutating func openAll(_ isStopped: () -> Bool) throws(LoadError) {
        try checkDescriptorLimit()
        now = MonotonicTime.nanoseconds()
        lastReceived = now
        var next = 0
        while next < connections.rows.count || connections.openingCount > 0 {
            while next < connections.rows.count, connections.openingCount < LoadEngine.openingLimit {
                let isOpenedLater = plan.connectsForEachRequest && connections.rows[next].role == .requests
                if !isOpenedLater { try connect(next) }
                next += 1
            }
            try turn(until: now &+ 100_000_000)
            if isStopped() {
                throw LoadError(
                    "stopped by a signal before the load began: \(connections.openCount) connections were open")
            }
            if now &- lastReceived <= timeout { continue }
            if plan.allowsMissingGreetings { return }
            let total = connections.rows.count - next + connections.openingCount + connections.openCount
            throw LoadError(
                "\(total - connections.openCount) of \(total) connections to \(targetNames) were not greeted within "
                    + "\(plan.timeout). Use fewer connections if the server serves few clients at a time")
        }
    }

    private var targetNames: String { plan.targets.map { "\($0)" }.joined(separator: ", ") }

    private func checkDescriptorLimit() throws(LoadError) {
        // In addition to the connections, the process opens fewer than 64 descriptors.
        let needed = connections.rows.count + 64
        guard let limit = try? DescriptorLimit.current(), limit.soft < needed else { return }
        try? DescriptorLimit.set(soft: needed)
        guard let raised = try? DescriptorLimit.current(), raised.soft < needed else { return }
        throw LoadError(
            "\(connections.rows.count) connections need \(needed) descriptors, but this process may open only "
                + "\(raised.soft). Raise the descriptor limit (ulimit -n) or use fewer connections")
    }

    /// Starts to connect one of the connections to its target.
    mutating func connect(_ index: Int) throws(LoadError) {
        let target = plan.targets[Int(connections.rows[index].target)]
        let descriptor = try connector.connect(to: target)
        connections.connect(index, descriptor)
        do throws(SystemCallError) { try poller.add(descriptor, .readable, as: Int32(truncatingIfNeeded: index)) } catch
        {
            throw LoadError("cannot wait for a connection to \(target) (\(error))")
        }
    }

    /// Receives the greeting on a connection that is being opened.
    ///
    /// If the connection failed, closes it.
    mutating func receiveGreeting(_ index: Int) {
        let target = plan.targets[Int(connections.rows[index].target)]
        let result: IOResult
        do throws(SystemCallError) {
            result = try receiver.receive(on: connections.rows[index].descriptor, limit: 1)
        } catch { return failToOpen(index, Connector.failure(to: target, error)) }
        switch result {
        case .wouldBlock: return
        case .end: return failToOpen(index, LoadError("\(target) closed a connection without a greeting"))
        case .bytes: break
        }
        let byte = receiver.input.withBytes { $0[0] }
        guard byte == ServerMachine.greeting else {
            return failToOpen(
                index,
                LoadError("\(target) greeted with \(byte.hexadecimal) instead of '*'. Does it speak this protocol?"))
        }
        now = MonotonicTime.nanoseconds()
        lastReceived = now
        connections.open(index)
        if plan.takesKernelTimestamps, connections.rows[index].role == .requests { enableTimestamps(index) }
        // If each request opens its own connection, the request began with the connection attempt.
        if connections.rows[index].inFlightCount > 0 { send(index) }
    }

    private mutating func enableTimestamps(_ index: Int) {
        do throws(SystemCallError) { try KernelTimestamps.enable(on: connections.rows[index].descriptor) } catch {
            failure = LoadError("the kernel does not provide timestamps (\(error)). Leave out --kernel-timestamps")
        }
    }

    /// Closes a connection that could not be opened.
    ///
    /// The load fails if it requires every connection. Otherwise, the failure is only counted.
    private mutating func failToOpen(_ index: Int, _ reason: LoadError) {
        let isOptional = plan.connectsForEachRequest && connections.rows[index].role == .requests
        guard isOptional || plan.allowsMissingGreetings else {
            failure = reason
            return
        }
        self[faultsOf: index].failedConnections += 1
        self[faultsOf: index].lostReplies += connections.rows[index].inFlightCount
        self[faultsOf: index].note(reason.description)
        close(index)
    }
}

extension UInt8 {
    /// The byte as two hexadecimal digits, for example `0x2A`.
    var hexadecimal: String { "0x" + (self < 16 ? "0" : "") + String(self, radix: 16, uppercase: true) }
}
