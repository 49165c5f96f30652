internal import SocketAddresses
internal import Synchronization
internal import SystemCalls

extension BlockingService {
    /// Looks at every client once in the limits' interval, until `finish`; on a thread of its own.
    func watchClients(every interval: Duration) {
        var watch = LimitWatch(configuration.limits)
        while record.wait(timeout: interval, until: { $0.isFinished ? true : nil }) == nil {
            clients.visit { place, descriptor in look(at: place, descriptor, &watch) }
        }
    }

    /// Gives a sign of life again and again, until `finish`; on a thread of its own.
    func beat(_ heartbeat: Heartbeat) {
        repeat {
            heartbeat.beat()
        } while record.wait(timeout: heartbeat.interval, until: { $0.isFinished ? true : nil }) == nil
    }

    private func look(at place: BlockedDescriptors.Place, _ descriptor: Int32, _ watch: inout LimitWatch) {
        let number = place.number.load(ordering: .relaxed)
        guard number != 0, let state = TCPState(of: descriptor),
            let end = watch.look(
                at: number, state, isInMessage: place.isInMessage.load(ordering: .relaxed),
                now: startTime.duration(to: .now))
        else { return }
        watch.forget(number)
        self.end(place, descriptor, because: end)
    }

    /// Wakes the thread that serves a client, which then ends; says why, once.
    func end(_ place: BlockedDescriptors.Place, _ descriptor: Int32, because end: ConnectionEnd) {
        // A thread that is slow to end is not told twice.
        let number = place.number.exchange(0, ordering: .relaxed)
        guard number != 0 else { return }
        meter.connectionEnded(end.reason)
        log.ended(
            number, of: StreamSocket.remoteAddress(of: descriptor),
            forwarding: record.withLock { $0.clients[number] }, because: end)
        if end.reason.discards { StreamSocket.resetWhenClosed(descriptor) }
        try? StreamSocket.shutdown(.both, on: descriptor)
    }

    /// A proxy has told whose connection it forwards.
    func forwards(_ client: SocketAddress?, at place: BlockedDescriptors.Place, on descriptor: Int32) {
        let number = place.number.load(ordering: .relaxed)
        record.withLock { $0.clients[number] = client }
        if log.tellsAll { log.accepted(number, from: StreamSocket.remoteAddress(of: descriptor), forwarding: client) }
    }

    /// Ends a client that would make more bytes wait than may, for all clients together.
    func endForWantOfRoom(_ place: BlockedDescriptors.Place, _ descriptor: Int32) {
        end(place, descriptor, because: .heldBeyond(configuration.maxBufferedTotal))
    }

    /// Nobody is served any more: what was to be said of refusals is said, and nobody is looked at.
    func finish() {
        record.withLock { record in
            record.isFinished = true
            record.refusals.reportAll()
        }
        record.notifyAll()
    }

    /// Counts bytes that wait, or wait no more.
    ///
    /// - Returns: whether all that wait are within the limit; those that would be beyond it are not counted.
    func hold(_ difference: Int) -> Bool {
        let total = held.wrappingAdd(difference, ordering: .relaxed).newValue
        guard difference <= 0 || total <= configuration.maxBufferedTotal ?? .max else {
            held.wrappingSubtract(difference, ordering: .relaxed)
            return false
        }
        meter.heldChanged(by: difference)
        return true
    }
}
