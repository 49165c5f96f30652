import Foundation
import Glibc
import LibUV
import Synchronization
import SystemCalls
import Testing

/// Tests of errors of `accept`, which a listener survives however long they last.
@Suite(.timeLimit(.minutes(1))) struct AcceptErrorTests {
    /// A process whose limit is below all its descriptors can neither accept nor shed connections.
    ///
    /// The listener pauses, the loop does not spin and serves its other handles, and after the limit has been raised,
    /// all clients are accepted.
    ///
    /// Promise of the article "Back-pressure".
    @Test func aLastingLackOfDescriptorsPausesTheListener() async {
        await #expect(processExitsWith: .success) {
            try inACopyWithoutThreads { try AcceptErrorTests.lackDescriptors(.tcp) }
        }
        await #expect(processExitsWith: .success) {
            try inACopyWithoutThreads { try AcceptErrorTests.lackDescriptors(.pipe) }
        }
    }

    static func lackDescriptors(_ kind: ListenerKind) throws {
        let (loop, clients) = (try UVLoop(), try UVLoop())
        let server = try AcceptingServer(kind, on: loop)
        try server.connect(3, on: clients)
        let limit = try DescriptorLimit.current().soft
        try DescriptorLimit.set(soft: 3)
        let (iterations, ticks) = try runForAWhile(loop, ticks: 30)
        #expect(server.errors == [UVError(.processFileLimit, operation: "accept")])
        #expect(server.accepted == 0)
        #expect(server.listener.droppedConnectionCount == 0)
        // Pauses of 10, 20, 40, 80 and 160 ms, and the ticks.
        #expect(ticks == 30)
        #expect(iterations <= 3 * 30 + 20)
        try DescriptorLimit.set(soft: limit)
        while server.accepted < 3 { try loop.run(.once) }
        #expect(server.errors == [UVError(.processFileLimit, operation: "accept")])
        // The pauses start from 10 ms again, and a new lack is reported again.
        #expect(server.listener.acceptPause == nil)
        try clients.close()
        try loop.close()
    }

    /// A paused listener tries again as soon as a handle of its loop has closed, without waiting for its timer.
    ///
    /// A descriptor that is free again first becomes the reserve.
    ///
    /// Promise of the article "Back-pressure".
    @Test func aHandleThatClosesEndsThePause() async {
        await #expect(processExitsWith: .success) {
            try inACopyWithoutThreads { try AcceptErrorTests.closeAHandle(.tcp) }
        }
        await #expect(processExitsWith: .success) {
            try inACopyWithoutThreads { try AcceptErrorTests.closeAHandle(.pipe) }
        }
    }

    static func closeAHandle(_ kind: ListenerKind) throws {
        let (loop, clients) = (try UVLoop(), try UVLoop())
        // Takes the lowest free descriptor.
        let (low, other) = try UVTCPStream.pair(on: loop)
        let number = try low.withUnsafeDescriptor { $0 }
        let server = try AcceptingServer(kind, on: loop)
        try server.connect(2, on: clients)
        let limit = try DescriptorLimit.current().soft
        // All other descriptors are above the limit.
        try DescriptorLimit.set(soft: Int(number) + 1)
        while server.listener.acceptPause ?? .zero < .milliseconds(320) { try loop.run(.once) }
        #expect(server.accepted == 0)
        low.close()
        for _ in 0..<5 { try loop.run(.noWait) }
        // The only free descriptor is the reserve, with which the listener rejects the waiting clients.
        #expect(server.listener.droppedConnectionCount == 2)
        #expect(server.accepted == 0)
        try DescriptorLimit.set(soft: limit)
        other.close()
        try server.connect(1, on: clients)
        for _ in 0..<5 { try loop.run(.noWait) }
        #expect(server.accepted == 1)
        try clients.close()
        try loop.close()
    }

    /// Closing a handle without a descriptor does not end the pause, for example the timers of tasks that sleep.
    ///
    /// Promise of the article "Back-pressure".
    @Test(arguments: ListenerKind.allCases) func aTimerThatClosesDoesNotEndThePause(_ kind: ListenerKind) throws {
        try withLoop { loop in
            let server = try AcceptingServer(kind, on: loop)
            for _ in 0..<8 { server.listener.acceptFailed(-ENOMEM) }
            let clients = try UVLoop()
            try server.connect(1, on: clients)
            try UVTimer(on: loop).close()
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(server.accepted == 0)
            try UVTCPStream(on: loop).close()
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(server.accepted == 1)
            server.close()
            try loop.run()
            try clients.close()
        }
    }

    /// The pauses double from 10 ms to 1 s, and each error is reported once.
    ///
    /// Promise of the article "Back-pressure".
    @Test(arguments: [ENFILE, ENOMEM, ENOBUFS, ENOSR]) func thePausesGrow(_ code: Int32) throws {
        for kind in ListenerKind.allCases {
            try withLoop { loop in
                let server = try AcceptingServer(kind, on: loop)
                var pauses: [Duration?] = []
                for _ in 0..<9 {
                    server.listener.acceptFailed(-code)
                    pauses.append(server.listener.acceptPause)
                }
                #expect(pauses == [10, 20, 40, 80, 160, 320, 640, 1000, 1000].map { .milliseconds($0) })
                #expect(server.errors == [UVError(systemCode: code, operation: "accept")])
                #expect(server.listener.isActive)
                server.listener.close()
                try loop.run()
            }
        }
    }

    /// A connection that arrives during a pause is accepted after it.
    ///
    /// The pauses then start from 10 ms again.
    ///
    /// Promise of the article "Back-pressure".
    @Test(arguments: ListenerKind.allCases) func aPauseEnds(_ kind: ListenerKind) throws {
        try withLoop { loop in
            let server = try AcceptingServer(kind, on: loop)
            for round in 1...3 {
                server.listener.acceptFailed(-ENOMEM)
                #expect(server.listener.acceptPause == .milliseconds(10))
                // The failure of a loop that has no memory for the poll handle takes the same way.
                server.listener.acceptFailed(-ENOSPC)
                let clients = try UVLoop()
                try server.connect(1, on: clients)
                while server.accepted < round { try loop.run(.once) }
                #expect(server.listener.acceptPause == nil)
                try clients.close()
            }
            #expect(server.errors.count == 6)
            server.close()
            try loop.run()
        }
    }

    /// A lack of descriptors in the whole system is handled like one of the process: clients are closed.
    ///
    /// Promise of the article "Back-pressure".
    @Test(arguments: ListenerKind.allCases) func withoutDescriptorsInTheSystemClientsAreClosed(
        _ kind: ListenerKind
    ) throws {
        try withLoop { loop in
            let clients = try UVLoop()
            let server = try AcceptingServer(kind, on: loop)
            try server.connect(3, on: clients)
            server.listener.acceptFailed(-ENFILE)
            #expect(server.listener.droppedConnectionCount == 3)
            #expect(server.listener.acceptPause == nil)
            #expect(server.errors == [UVError(.systemFileLimit, operation: "accept")])
            server.close()
            try loop.run()
            try clients.close()
        }
    }

    /// When a client sees that it was rejected, no descriptor is free, so no other thread can take the reserve.
    ///
    /// A second listener in another thread would otherwise accept the next client with it, and this listener could
    /// neither accept nor reject clients any more.
    @Test func theReserveIsNeverFreeWhileClientsAreRejected() async {
        await #expect(processExitsWith: .success) {
            try inACopyWithoutThreads { try AcceptErrorTests.rejectClients() }
        }
    }

    static func rejectClients() throws {
        let loop = try UVLoop()
        let listener = try UVTCPListener(on: loop)
        try listener.bind(to: .loopback(port: 0))
        try listener.listen { listener, _ in try? listener.accept().close() }
        let address = try listener.localAddress
        let sockets = (0..<400).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        try DescriptorLimit.set(soft: Int(try #require(sockets.max())) + 1)
        while dup(0) >= 0 {}
        let taken = Atomic<Int>(0)
        let clients = try PosixThread {
            for number in sockets {
                let client = StreamSocket(adopting: number)
                AcceptErrorTests.connect(number, toPort: address.port)
                var byte = ReusableBuffer(capacity: 1)
                // The listener closes the connection.
                _ = try? byte.fill { output throws(SystemCallError) in try client.receive(into: &output) }
                if dup(0) >= 0 { taken.add(1, ordering: .relaxed) }
                _ = client.release()
            }
        }
        while listener.droppedConnectionCount < sockets.count { try loop.run(.once) }
        clients.join()
        #expect(taken.load(ordering: .relaxed) == 0)
    }

    private static func connect(_ socket: Int32, toPort port: UInt16) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        unsafe withUnsafeBytes(of: &address) { bytes in
            // The address is the whole structure.
            guard let base = bytes.baseAddress else { return }
            _ = unsafe Glibc.connect(socket, base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }

    /// A listener without a reference lets the loop end, whether it watches or pauses.
    @Test(arguments: ListenerKind.allCases) func aPausedListenerWithoutReferenceLetsTheRunEnd(
        _ kind: ListenerKind
    ) throws {
        try withLoop { loop in
            let server = try AcceptingServer(kind, on: loop)
            #expect(loop.isAlive)
            server.listener.unref()
            #expect(try !loop.run())
            server.listener.acceptFailed(-ENOMEM)
            #expect(try !loop.run())
            server.listener.ref()
            #expect(loop.isAlive)
            // The internal handles are not visible to the program.
            var types: [String] = []
            loop.walk { types.append($0.typeName) }
            #expect(types.count == 2)
            server.close()
            try loop.run()
        }
    }

    /// While the program has not accepted a connection, the listener keeps the loop running, and closing it closes the
    /// connection.
    ///
    /// Promise of the article "Ownership and lifetime".
    @Test(arguments: ListenerKind.allCases) func aConnectionThatIsNotTakenIsClosedWithItsListener(
        _ kind: ListenerKind
    ) throws {
        try withLoop { loop in
            let clients = try UVLoop()
            let server = try AcceptingServer(kind, on: loop)
            server.accepts = false
            let streams = try server.connect(3, on: clients)
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(server.reported == 1)
            #expect(server.listener.isActive)
            #expect(loop.isAlive)
            server.close()
            try loop.run()
            let collected = Collected()
            for stream in streams { try stream.collect(collected) }
            try clients.run()
            #expect(collected.endCount + collected.failures.count == 3)
            try clients.close()
        }
    }

    /// `serve` goes on after an error of `accept`.
    ///
    /// Promises of the articles "Back-pressure" and "Stopping a server".
    @Test(arguments: ListenerKind.allCases) func serveSurvivesErrors(_ kind: ListenerKind) throws {
        try withTask { loop in
            let (listener, connect) = try kind.makeListener(on: loop)
            let connections = try UVIncomingConnections(of: listener)
            let server = Task(executorPreference: loop) {
                try await connections.serve { try await $0.write("x") }
            }
            for code in [ENOMEM, ENOBUFS, ENFILE] {
                for _ in 0..<5 { await Task.yield() }
                listener.acceptFailed(-code)
                let client = try await connect()
                #expect(try await client.readAll() == [120])
                await client.close()
            }
            connections.finish()
            try await server.value
            while !listener.isClosed { await Task.yield() }
        }
    }
}

/// A kind of listener.
enum ListenerKind: CaseIterable {
    case tcp, pipe

    /// Makes a bound listener, and a function that connects to it.
    func makeListener(
        on loop: UVLoop
    ) throws -> (UVListener, nonisolated(nonsending) () async throws -> UVConnection) {
        switch self {
        case .tcp:
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            let address = try listener.localAddress
            return (listener, { try await loop.connect(to: address) })
        case .pipe:
            let listener = try UVPipeListener(on: loop)
            let name = UVPipeName.abstract(temporaryPath())
            try listener.bind(to: name)
            return (listener, { try await loop.connect(to: name) })
        }
    }
}

/// A listener that counts what it reports.
private final class AcceptingServer {
    let listener: UVListener
    var accepts = true
    private(set) var reported = 0
    private(set) var accepted = 0
    private(set) var errors: [UVError] = []
    private var streams: [UVStream] = []
    private let connectOne: (UVLoop, @escaping () -> Void) throws -> UVStream

    init(_ kind: ListenerKind, on loop: UVLoop) throws {
        switch kind {
        case .tcp:
            let listener = try UVTCPListener(on: loop)
            try listener.bind(to: .loopback(port: 0))
            let address = try listener.localAddress
            self.listener = listener
            connectOne = { loop, connected in
                let stream = try UVTCPStream(on: loop)
                try stream.connect(to: address) { result in if (try? result.get()) != nil { connected() } }
                return stream
            }
            try listener.listen { [unowned self] listener, error in happened(error) { try listener.accept() } }
        case .pipe:
            let listener = try UVPipeListener(on: loop)
            let name = UVPipeName.abstract(temporaryPath())
            try listener.bind(to: name)
            self.listener = listener
            connectOne = { loop, connected in
                let stream = try UVPipe(on: loop)
                try stream.connect(to: name) { result in if (try? result.get()) != nil { connected() } }
                return stream
            }
            try listener.listen { [unowned self] listener, error in happened(error) { try listener.accept() } }
        }
    }

    private func happened(_ error: UVError?, _ accept: () throws -> UVStream) {
        if let error { return errors.append(error) }
        reported += 1
        guard accepts, let stream = try? accept() else { return }
        accepted += 1
        streams.append(stream)
    }

    /// Connects clients, which the kernel puts into the backlog.
    @discardableResult
    func connect(_ count: Int, on loop: UVLoop) throws -> [UVStream] {
        var connected = 0
        let streams = try (0..<count).map { _ in try connectOne(loop) { connected += 1 } }
        while connected < count { try loop.run(.once) }
        return streams
    }

    func close() {
        listener.close()
        for stream in streams { stream.close() }
    }
}

/// Runs a loop until a timer has ticked, and returns the numbers of iterations and ticks.
private func runForAWhile(_ loop: UVLoop, ticks limit: Int) throws -> (iterations: Int, ticks: Int) {
    var (iterations, ticks) = (0, 0)
    let timer = try UVTimer(on: loop)
    try timer.start(after: .milliseconds(10), repeating: .milliseconds(10)) { timer in
        ticks += 1
        if ticks == limit { timer.stop() }
    }
    while ticks < limit {
        try loop.run(.once)
        iterations += 1
    }
    return (iterations, ticks)
}
