extension UVLoop {
    /// Watches for signals, and returns them as a sequence (`uv_signal_start`).
    ///
    /// ```swift
    /// for try await signal in try loop.signals([SIGTERM, SIGINT]) {
    ///     connections.finish(within: .seconds(10))
    /// }
    /// ```
    ///
    /// The watch begins with this call, and ends when the iterating task is cancelled or the sequence is released. The
    /// watch does not keep the loop running. Call this function on the loop's thread. The sequence may be iterated over
    /// on any executor.
    ///
    /// - Parameter numbers: the signals, for example `SIGTERM`.
    /// - Throws: `invalidArgument` if a signal cannot be caught; `cancelled` if the loop is closing;
    ///   `notPermitted` on another thread.
    public func signals(_ numbers: [Int32]) throws(UVError) -> UVSignals {
        try UVSignals(numbers, on: self)
    }
}

// @unchecked Sendable: used only on the loop's thread, which `next` checks. `deinit` passes the handles to that thread.
/// The numbers of the signals that the process receives.
///
/// If a signal arrives several times before the program requests the next element, the sequence reports it once, as the
/// kernel does with pending signals. Different signals are reported separately. All iterators share one queue.
public final class UVSignals: AsyncSequence, @unchecked Sendable {
    /// The type of the elements, which are the numbers of signals.
    public typealias Element = Int32

    /// The type of the errors.
    public typealias Failure = UVError

    /// The handles, which only the loop's thread uses.
    private final class Watchers: @unchecked Sendable {
        var handles: [UVSignal] = []

        func close() {
            for handle in handles { handle.close() }
            handles = []
        }
    }

    /// The loop that watches for the signals.
    public let loop: UVLoop

    private let watchers = Watchers()
    private var arrived: [Int32] = []
    private var hasEnded = false
    private var waiter: PendingOperation<Void>?

    init(_ numbers: [Int32], on loop: UVLoop) throws(UVError) {
        self.loop = loop
        do throws(UVError) {
            for number in numbers {
                let handle = try UVSignal(on: loop)
                watchers.handles.append(handle)
                handle.unref()
                try handle.start(number) { [weak self] _, number in self?.arrive(number) }
            }
        } catch {
            watchers.close()
            throw error
        }
        // When the loop closes, it closes the handles, which ends the sequence.
        watchers.handles.first?.whenClosed { [weak self] in self?.end() }
    }

    deinit {
        // If the loop rejects this call, the loop is closing, which closes the handles.
        try? loop.execute { [watchers] in watchers.close() }
    }

    private func arrive(_ number: Int32) {
        if !arrived.contains(number) { arrived.append(number) }
        wake()
    }

    private func end() {
        hasEnded = true
        watchers.close()
        wake()
    }

    private func wake() {
        let waiter = self.waiter
        self.waiter = nil
        waiter?.complete(.success(()))
    }

    /// Returns the next signal, and suspends until one arrives.
    ///
    /// - Returns: the number of the signal, or `nil` if the task is cancelled or the loop closes. In both cases, the
    ///   watch has ended.
    /// - Throws: `busy` if another task is waiting.
    public nonisolated(nonsending) func next() async throws(UVError) -> Int32? {
        guard loop.staysHere() else {
            // `visit` fails only if the loop closes, which also ends the sequence.
            do throws(UVError) {
                return try await loop.visit("uv_signal_start") { () async throws(UVError) in try await self.next() }
            } catch {
                if error.code == .cancelled { return nil }
                throw error
            }
        }
        while !hasEnded {
            if !arrived.isEmpty { return arrived.removeFirst() }
            if waiter != nil { throw UVError(.busy, operation: "uv_signal_start") }
            do {
                try await loop.waitFor("uv_signal_start") { operation in
                    waiter = operation
                    return nil
                }
            } catch {
                waiter = nil
                end()
            }
        }
        return nil
    }

    /// Iterates over the signals.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let signals: UVSignals

        /// Returns the next signal; see `UVSignals.next`.
        ///
        /// - Throws: the same errors as `UVSignals.next`.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(UVError) -> Int32? {
            try await signals.next()
        }
    }

    /// Returns an iterator over the signals.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(signals: self) }
}
