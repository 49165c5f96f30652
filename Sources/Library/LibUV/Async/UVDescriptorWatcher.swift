// @unchecked Sendable: every function does its work on the loop's thread.
/// Watches a descriptor that does not belong to libuv, so that tasks can wait for its events.
///
/// **The program keeps ownership of the descriptor**, and must keep it open until this object is closed; see `UVPoll`.
/// The loop watches the descriptor only while tasks wait, and only for the events for which they wait. Several tasks
/// can wait at the same time.
///
/// **Executor.** Make the object on the loop's thread. It may then be used on any executor, and costs least in tasks of
/// its loop (`UVLoop.run`, `UVLoop.task`) and in a `UVActor`.
public final class UVDescriptorWatcher: @unchecked Sendable {
    private typealias Waiter = (events: UVPoll.Events, operation: PendingOperation<UVPoll.Events>)

    /// The loop that watches the descriptor.
    public let loop: UVLoop

    private let poll: UVPoll
    private var waiters: [Waiter] = []

    /// Makes an object that watches a descriptor (`uv_poll_init`).
    ///
    /// - Throws: the same errors as `UVPoll`: `alreadyExists`, `notPermitted` or `badDescriptor`.
    public init(
        _ descriptor: Int32, on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        self.loop = loop
        poll = try UVPoll(on: loop, descriptor: descriptor, file: file, line: line)
        poll.whenClosed { [self] in resumeAll(.failure(UVDescriptorWatcher.cancelled)) }
    }

    /// Suspends until the condition of at least one of the given events holds (`uv_poll_start`).
    ///
    /// - Returns: the given events that have occurred.
    /// - Throws: `badDescriptor` if the descriptor has an error, for example because the reader of a pipe has closed
    ///   the pipe; `cancelled` if the task is cancelled or this object is closed; `invalidArgument` if `events` is
    ///   empty.
    public nonisolated(nonsending) func wait(for events: UVPoll.Events) async throws(UVError) -> UVPoll.Events {
        guard loop.isRunningHere else {
            return try await loop.visit("uv_poll_start") { () async throws(UVError) in
                try await self.wait(for: events)
            }
        }
        if events.isEmpty { throw UVError(.invalidArgument, operation: "uv_poll_start") }
        if poll.isClosing { throw UVDescriptorWatcher.cancelled }
        return try await loop.waitFor("uv_poll_start") { operation throws(UVError) in try begin(events, operation) }
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
        operation.complete(.failure(UVDescriptorWatcher.cancelled))
    }

    /// Watches for the events for which tasks wait, or stops watching if no task waits.
    private func watch() throws(UVError) {
        let events = waiters.reduce(into: UVPoll.Events()) { $0.formUnion($1.events) }
        try poll.start(events) { [self] _, result in happened(result) }
    }

    private func happened(_ result: Result<UVPoll.Events, UVError>) {
        let happened: UVPoll.Events
        do throws(UVError) { happened = try result.get() } catch { return resumeAll(.failure(error)) }
        let woken = waiters.filter { !$0.events.isDisjoint(with: happened) }
        waiters.removeAll { !$0.events.isDisjoint(with: happened) }
        // This cannot fail, because the loop was already watching for the remaining events.
        try? watch()
        for waiter in woken { waiter.operation.complete(.success(waiter.events.intersection(happened))) }
    }

    private func resumeAll(_ result: Result<UVPoll.Events, UVError>) {
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters { waiter.operation.complete(result) }
    }

    /// Stops watching, and suspends until the handle has closed (`uv_close`).
    ///
    /// Waiting tasks are resumed with `cancelled`.
    ///
    /// The caller can then close the descriptor.
    public nonisolated(nonsending) func close() async {
        await loop.close(poll)
    }

    private static var cancelled: UVError { UVError(.cancelled, operation: "uv_poll_start") }
}

extension UVDescriptorWatcher {
    /// The events of a descriptor as a sequence.
    ///
    /// The descriptor is watched only while `next` waits.
    public struct Events: AsyncSequence {
        /// The type of the elements.
        public typealias Element = UVPoll.Events

        /// The type of the errors.
        public typealias Failure = UVError

        let descriptor: UVDescriptorWatcher
        let events: UVPoll.Events

        /// Waits for the events one after another.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let descriptor: UVDescriptorWatcher
            let events: UVPoll.Events

            /// Returns the next events, or `nil` if the task is cancelled or the watcher is closed.
            ///
            /// - Throws: the same errors as `UVDescriptorWatcher.wait`, except `cancelled`.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(UVError) -> UVPoll.Events? {
                do { return try await descriptor.wait(for: events) } catch {
                    guard error.code == .cancelled else { throw error }
                    return nil
                }
            }
        }

        /// Returns an iterator over the events.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(descriptor: descriptor, events: events) }
    }

    /// Returns the events of the descriptor as an async sequence, in which each `next` calls `wait(for:)`.
    ///
    /// An event is reported again while its condition holds. Therefore read all available bytes before requesting the
    /// next event.
    public func events(_ events: UVPoll.Events) -> Events { Events(descriptor: self, events: events) }
}
