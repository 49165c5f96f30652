internal import IncrementProtocol
public import SocketAddresses
public import SystemCalls

/// A server that does as little as possible, so that its latency is a lower limit for any server of the protocol.
///
/// A single thread waits for all clients and sends each reply immediately. The server has no limits. Use it only for
/// measurements, and not with untrusted clients. The server can busy-wait before each reply, to create a known
/// difference that a comparison has to detect.
public struct FloorServer: ~Copyable {
    private let listener: ListeningSocket
    private var poller: EpollPoller
    private let busy: UInt64
    private let clockTime: UInt64

    /// The shortest possible busy-wait, which depends on how long reading the clock takes.
    public let shortestBusy: Duration
    private var machines: [ServerMachine] = []
    /// Reply bytes that the kernel has not yet accepted, by descriptor.
    private var pending: [Int32: ByteQueue] = [:]
    private var input = ReusableBuffer(capacity: 128 << 10)
    private var output = ReusableBuffer(capacity: 128 << 10)
    private var open: Set<Int32> = []

    /// Listens on an address.
    ///
    /// - Parameters:
    ///   - address: the address to listen on. Port 0 selects a free port.
    ///   - busy: the time to busy-wait before each reply.
    public init(listeningOn address: SocketAddress, busy: Duration) throws(SystemCallError) {
        let listener = try ListeningSocket(address: address, backlog: 4096, isNonBlocking: true)
        var poller = try EpollPoller()
        try poller.add(listener.rawValue, .readable)
        self.listener = listener
        self.poller = poller
        self.busy = UInt64(max(0, busy / .nanoseconds(1)))
        // A call that reads the clock takes time, and returns the time at the middle of the call. The busy-wait
        // therefore begins half a call before the first value and ends half a call after the last value. On average,
        // the last value is also half a call later than the planned end. `clockTime` is the sum of these three delays,
        // which is subtracted from the busy-wait.
        clockTime = busy > .zero ? UInt64(1.5 * FloorServer.clockCost()) : 0
        shortestBusy = .nanoseconds(Int64(clamping: clockTime))
    }

    /// Returns the duration of a clock call in nanoseconds, measured as the minimum of several rounds.
    private static func clockCost() -> Double {
        let calls = 1000
        let fastest = (0..<20).map { _ in
            let begin = MonotonicTime.nanoseconds()
            for _ in 0..<calls { _ = MonotonicTime.nanoseconds() }
            return MonotonicTime.nanoseconds() &- begin
        }.min()
        return Double(fastest ?? 0) / Double(calls)
    }

    deinit { for descriptor in open { _ = StreamSocket(adopting: descriptor) } }

    /// The address on which the server listens.
    public var address: SocketAddress {
        get throws(SystemCallError) { try listener.localAddress }
    }

    /// Serves clients on the calling thread until `isStopped` returns true.
    ///
    /// - Parameter isStopped: called before each wait for clients. A wait takes at most a second, and a signal ends it.
    public mutating func run(isStopped: () -> Bool) throws(SystemCallError) {
        while !isStopped() {
            let count = try poller.wait(timeout: .seconds(1))
            for index in 0..<count {
                let ready = poller.ready(at: index)
                if ready.descriptor == listener.rawValue { try accept() } else { serve(ready) }
            }
        }
    }

    private mutating func accept() throws(SystemCallError) {
        while case .connection(let socket) = try listener.accept(isNonBlocking: true) {
            let descriptor = socket.release()
            while machines.count <= Int(descriptor) { machines.append(ServerMachine()) }
            machines[Int(descriptor)] = ServerMachine()
            open.insert(descriptor)
            try poller.add(descriptor, .readable)
            output.fill { ServerMachine().greet(into: &$0) }
            send(descriptor)
        }
    }

    @inline(__always)
    private mutating func serve(_ ready: ReadyDescriptor) {
        if ready.readiness.contains(.writable), pending[ready.descriptor] != nil { return flush(ready.descriptor) }
        if ready.readiness.contains(.readable) { reply(ready.descriptor) }
    }

    @inline(__always)
    private mutating func reply(_ descriptor: Int32) {
        let result = try? input.fill { output throws(SystemCallError) in
            try StreamSocket.receive(on: descriptor, into: &output)
        }
        guard case .bytes = result else {
            if result != .wouldBlock { close(descriptor) }
            return
        }
        var machine = machines[Int(descriptor)]
        input.withBytes { bytes in _ = output.fill { machine.receive(bytes, into: &$0) } }
        machines[Int(descriptor)] = machine
        guard output.count > 0 else { return }
        if busy > 0 { busyWait() }
        send(descriptor)
    }

    private func busyWait() {
        let end = MonotonicTime.nanoseconds() &+ busy &- min(busy, clockTime)
        while MonotonicTime.nanoseconds() < end {}
    }

    @inline(__always)
    private mutating func send(_ descriptor: Int32) {
        let result = try? output.withBytes { bytes throws(SystemCallError) in
            try StreamSocket.send(bytes, on: descriptor)
        }
        var sent = 0
        if case .bytes(let count) = result { sent = count }
        if result == nil { close(descriptor) } else if sent < output.count { queue(descriptor, from: sent) }
    }

    /// Stores the bytes that the kernel did not accept and pauses reading from the client until these bytes are sent.
    private mutating func queue(_ descriptor: Int32, from offset: Int) {
        let queue = ByteQueue()
        output.withBytes { bytes in queue.append(bytes.extracting(offset..<bytes.count)) }
        pending[descriptor] = queue
        try? poller.modify(descriptor, .writable)
    }

    private mutating func flush(_ descriptor: Int32) {
        guard let queue = pending[descriptor] else { return }
        while queue.count > 0 {
            let result = try? queue.withBytes { bytes throws(SystemCallError) in
                try StreamSocket.send(bytes, on: descriptor)
            }
            guard let result else { return close(descriptor) }
            guard case .bytes(let count) = result else { return }
            queue.removeFirst(count)
        }
        pending[descriptor] = nil
        try? poller.modify(descriptor, .readable)
    }

    private mutating func close(_ descriptor: Int32) {
        pending[descriptor] = nil
        try? poller.remove(descriptor)
        if open.remove(descriptor) != nil { _ = StreamSocket(adopting: descriptor) }
    }
}
