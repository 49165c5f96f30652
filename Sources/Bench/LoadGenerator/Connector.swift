internal import SocketAddresses
internal import SystemCalls

/// Starts connections to the targets.
struct Connector {
    /// The number of local endpoints: 250 addresses with 59 000 ports each.
    ///
    /// A load that opens a connection for each request uses the endpoints in turn.
    private static var sourceCount: UInt32 { 250 * 59_000 }

    private let variesSource: Bool
    private var source: UInt32

    init(_ plan: LoadConnections, now: UInt64) {
        variesSource = plan.connectsForEachRequest
        // Each run starts at a different address and port, because the addresses and ports of the previous run stay in
        // TIME_WAIT for a minute.
        source = UInt32(truncatingIfNeeded: now / 1024) % Connector.sourceCount
    }

    /// Starts to connect to a target.
    ///
    /// - Returns: a descriptor that becomes readable when the greeting arrives or the connection fails.
    mutating func connect(to target: SocketAddress) throws(LoadError) -> Int32 {
        var attempts = 0
        while true {
            do throws(SystemCallError) {
                return try StreamSocket.startConnecting(to: target, from: nextSource(towards: target)).release()
            } catch {
                attempts += 1
                let isTaken = error.code == Errno.addressNotAvailable || error.code == Errno.addressInUse
                if isTaken, variesSource, attempts < 1000 { continue }
                throw Connector.failure(to: target, error)
            }
        }
    }

    /// Returns a new local address and port for a load that opens many connections to this machine; `nil` for any other
    /// load.
    ///
    /// There are fifteen million combinations of an address and a port. If the kernel chose the port, it would choose
    /// from only 28 000 ports. Such a load would use up these ports in seconds, because each port stays in TIME_WAIT
    /// for a minute.
    private mutating func nextSource(towards target: SocketAddress) -> SocketAddress? {
        guard variesSource, case .v4(let bits) = target.ip, bits >> 24 == 127 else { return nil }
        source = (source &+ 1) % Connector.sourceCount
        return SocketAddress(
            .v4(0x7F00_0002 &+ source % 250), port: UInt16(truncatingIfNeeded: 2000 &+ source / 250))
    }

    /// Makes an error that says why a connection failed and what to do about it.
    static func failure(to target: SocketAddress, _ error: SystemCallError) -> LoadError {
        let advice =
            switch error.code {
            case Errno.connectionRefused: ". No server listens there; start one, for example with 'uvserver serve'"
            case Errno.addressNotAvailable: ". No local port is free; use a lower --rate or a shorter run"
            default: ""
            }
        return LoadError("cannot connect to \(target): \(error.message)\(advice)")
    }
}
