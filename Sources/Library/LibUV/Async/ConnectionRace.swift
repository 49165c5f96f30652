internal import SocketAddresses

/// Attempts to connect to several addresses, which begin one after the other and may overlap (RFC 8305).
///
/// This object is used only on the loop's thread. The timer and the pending attempts keep the object alive until the
/// race is over.
final class ConnectionRace {
    private let loop: UVLoop
    private let operation: PendingOperation<UVConnection>
    private let attemptDelay: Duration
    private let timer: UVTimer
    private var remaining: ArraySlice<SocketAddress>
    private var attempts: [UVTCPStream] = []
    private var failure: UVError
    private var isOver = false

    init(
        to addresses: [SocketAddress], attemptDelay: Duration, on loop: UVLoop,
        _ operation: PendingOperation<UVConnection>
    ) throws(UVError) {
        self.loop = loop
        self.operation = operation
        self.attemptDelay = attemptDelay
        timer = try UVTimer(on: loop)
        remaining = ConnectionRace.interleaved(addresses)[...]
        failure = UVError(.cancelled, operation: "uv_tcp_connect")
    }

    /// Returns the addresses reordered so that the two families alternate, beginning with the family of the first
    /// address.
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let preferred = addresses.filter { $0.family == addresses.first?.family }
        let others = addresses.filter { $0.family != addresses.first?.family }
        return (0..<max(preferred.count, others.count)).flatMap { index in
            [preferred, others].compactMap { $0.indices.contains(index) ? $0[index] : nil }
        }
    }

    func begin() { attemptNext() }

    /// Ends all attempts.
    func cancel() { finish(.failure(UVError(.cancelled, operation: "uv_tcp_connect"))) }

    private func attemptNext() {
        while let address = remaining.popFirst() {
            do throws(UVError) {
                try attempt(address)
                // The next attempt begins when this attempt has failed, or after this delay.
                if !remaining.isEmpty { try timer.start(after: attemptDelay) { [self] _ in attemptNext() } }
                return
            } catch { failure = error }
        }
        if attempts.isEmpty { finish(.failure(failure)) }
    }

    private func attempt(_ address: SocketAddress) throws(UVError) {
        let stream = try UVTCPStream(on: loop)
        do throws(UVError) {
            try stream.connect(to: address) { [self] result in ended(stream, result) }
            attempts.append(stream)
        } catch {
            stream.close()
            throw error
        }
    }

    private func ended(_ stream: UVTCPStream, _ result: Result<Void, UVError>) {
        if isOver { return }
        attempts.removeAll { $0 === stream }
        do throws(UVError) {
            try result.get()
            finish(.success(try UVConnection(stream)))
        } catch {
            stream.close()
            failure = error
            attemptNext()
        }
    }

    private func finish(_ result: sending Result<UVConnection, UVError>) {
        if isOver { return }
        isOver = true
        timer.close()
        for stream in attempts { stream.close() }
        attempts = []
        operation.complete(result)
    }
}
