// @unchecked Sendable: every function checks, in release builds too, that it runs on the loop's thread.
/// A descriptor that is not libuv's, as tasks use it: they wait until something has happened on it.
///
/// **The descriptor stays the caller's**, who keeps it open until this is closed; see `UVPoll`. It is watched only while
/// a task waits, and only for what the tasks wait for: several may wait at a time.
///
/// **Executor.** Use it in tasks of its loop (`UVLoop.run`, `Task(executorPreference: loop)`) or in a `UVActor`; a call
/// from outside of the loop traps, in release builds too.
public final class UVWatchedDescriptor: @unchecked Sendable {
    private typealias Waiter = (events: UVPoll.Events, operation: PendingOperation<UVPoll.Events>)

    /// The loop that watches.
    public let loop: UVLoop

    private let poll: UVPoll
    private var waiters: [Waiter] = []

    /// Makes what watches a descriptor (`uv_poll_init`).
    ///
    /// - Throws: as `UVPoll`: `alreadyExists`, `notPermitted`, `badDescriptor`.
    public init(
        _ descriptor: Int32, on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        self.loop = loop
        poll = try UVPoll(on: loop, descriptor: descriptor, file: file, line: line)
        poll.whenClosed { [self] in resumeAll(.failure(UVWatchedDescriptor.cancelled)) }
    }

    /// Suspends until at least one of some events has happened, or lasts (`uv_poll_start`).
    ///
    /// - Returns: those of the events that have happened.
    /// - Throws: `badDescriptor` on an error of the descriptor, as a pipe whose reader has gone; `cancelled` where the
    ///   task is cancelled or this has been closed; `invalidArgument` for no event.
    public nonisolated(nonsending) func wait(for events: UVPoll.Events) async throws(UVError) -> UVPoll.Events {
        loop.checkIsolated()
        if events.isEmpty { throw UVError(.invalidArgument, operation: "uv_poll_start") }
        if poll.isClosing { throw UVWatchedDescriptor.cancelled }
        return try await loop.waitFor("uv_poll") { operation throws(UVError) in try begin(events, operation) }
    }

    private func begin(
        _ events: UVPoll.Events, _ operation: PendingOperation<UVPoll.Events>
    ) throws(UVError) -> (() -> Void)? {
        waiters.append((events, operation))
        do throws(UVError) { try watch() } catch {
            waiters.removeLast()
            throw error
        }
        return { [self, unowned operation] in cancel(operation) }
    }

    private func cancel(_ operation: PendingOperation<UVPoll.Events>) {
        waiters.removeAll { $0.operation === operation }
        if !poll.isClosing { try? watch() }
        operation.complete(.failure(UVWatchedDescriptor.cancelled))
    }

    /// Watches for what the tasks wait for, and for nothing where none waits.
    private func watch() throws(UVError) {
        let events = waiters.reduce(into: UVPoll.Events()) { $0.formUnion($1.events) }
        try poll.start(events) { [self] _, result in happened(result) }
    }

    private func happened(_ result: Result<UVPoll.Events, UVError>) {
        let happened: UVPoll.Events
        do throws(UVError) { happened = try result.get() } catch { return resumeAll(.failure(error)) }
        let woken = waiters.filter { !$0.events.isDisjoint(with: happened) }
        waiters.removeAll { !$0.events.isDisjoint(with: happened) }
        // Those that are left were watched for before.
        try? watch()
        for waiter in woken { waiter.operation.complete(.success(waiter.events.intersection(happened))) }
    }

    private func resumeAll(_ result: Result<UVPoll.Events, UVError>) {
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters { waiter.operation.complete(result) }
    }

    /// Watches no more (`uv_close`), and suspends until that is done; tasks that wait are resumed with `cancelled`.
    ///
    /// The descriptor is the caller's to close after that.
    public nonisolated(nonsending) func close() async {
        loop.checkIsolated()
        await loop.close(poll)
    }

    private static var cancelled: UVError { UVError(.cancelled, operation: "uv_poll") }
}

extension UVWatchedDescriptor {
    /// The events of a descriptor, one after another; between them nothing is watched.
    public struct Events: AsyncSequence {
        /// What the sequence consists of.
        public typealias Element = UVPoll.Events

        /// What ends it early.
        public typealias Failure = UVError

        let descriptor: UVWatchedDescriptor
        let events: UVPoll.Events

        /// Waits for one after another.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let descriptor: UVWatchedDescriptor
            let events: UVPoll.Events

            /// What happens next; `nil` where the task is cancelled or the watching closed.
            ///
            /// - Throws: as `UVWatchedDescriptor.wait`, but for `cancelled`.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(UVError) -> UVPoll.Events? {
                do { return try await descriptor.wait(for: events) } catch {
                    guard error.is(.cancelled) else { throw error }
                    return nil
                }
            }
        }

        /// An iterator over what happens from now on.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(descriptor: descriptor, events: events) }
    }

    /// The events of a descriptor as an async sequence: each `next` is a `wait(for:)`.
    ///
    /// What lasts is reported again: read what there is before asking for the next.
    public func events(_ events: UVPoll.Events) -> Events { Events(descriptor: self, events: events) }
}
