import Glibc
import LibUV
import Testing

/// Tests of connecting to a host with several addresses.
@Suite(.timeLimit(.minutes(1))) struct ConnectToHostTests {
    @Test(arguments: ["127.0.0.1", "::1"]) func anAddressIsConnectedToWithoutALookup(_ host: String) throws {
        try withTask { loop async throws in
            try await loop.withTCPListener(on: SocketAddress(parsing: host, port: 0)) { connections in
                let port = connections.localAddress.port
                try await loop.withTCPConnection(toHost: host, port: port) { connection async throws in
                    #expect(try peer(of: connection) == connections.localAddress)
                }
            }
        }
    }

    /// The name may have an address of each family, of which only one accepts.
    @Test(arguments: ["127.0.0.1", "::1"]) func aNameIsConnectedToAtTheAddressThatAccepts(_ host: String) throws {
        try withTask { loop async throws in
            let known = try await loop.resolve("localhost").addresses
            try await loop.withTCPListener(on: SocketAddress(parsing: host, port: 0)) { connections in
                let address = connections.localAddress
                guard known.contains(where: { $0.ip == address.ip }) else { return }
                let connection = try await loop.connect(toHost: "localhost", port: address.port)
                #expect(try peer(of: connection) == address)
                await connection.close()
            }
        }
    }

    @Test func aNameThatIsInvalidIsAnErrorOfTheResolver() throws {
        try withTask { loop async throws in
            await #expect(throws: UVError(.invalidArgument, operation: "uv_getaddrinfo")) {
                try await loop.connect(toHost: "a\0b", port: 1)
            }
            await #expect(throws: UVError(.invalidArgument, operation: "uv_tcp_connect")) {
                try await loop.connect(toFirstOf: [])
            }
        }
    }

    /// The next attempt begins at once when one fails, although the delay is long.
    @Test func failedAttemptsAreFollowedAtOnce() throws {
        try withTask { loop async throws in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let good = connections.localAddress
                // The other addresses of the loopback network refuse the port. 240.0.0.0 fails immediately.
                let refusing = try ["127.0.0.2", "127.0.0.3", "240.0.0.1", "127.0.0.4"].map {
                    try SocketAddress(parsing: $0, port: good.port)
                }
                let connection = try await loop.connect(toFirstOf: refusing + [good], attemptDelay: .seconds(1000))
                #expect(try peer(of: connection) == good)
                await connection.close()
            }
        }
    }

    @Test func ifAllAttemptsFailTheErrorIsThatOfTheLast() throws {
        try withTask { loop async throws in
            let port = try await loop.withTCPListener(on: .loopback(port: 0)) { $0.localAddress.port }
            let hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
            let refusing = try hosts.map { try SocketAddress(parsing: $0, port: port) }
            for delay in [Duration.zero, .seconds(1000)] {
                await #expect(throws: UVError(.connectionRefused, operation: "uv_tcp_connect")) {
                    try await loop.connect(toFirstOf: refusing, attemptDelay: delay)
                }
            }
        }
    }

    @Test func anAddressThatDoesNotReplyDelaysTheNextOnlyByTheDelay() throws {
        try withTask { loop async throws in
            let silent = try (0..<3).map { _ in try SilentListener(.v4) }
            defer { withExtendedLifetime(silent) {} }
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let good = connections.localAddress
                let addresses = silent.map(\.address) + [good]
                let begin = loop.clock.now
                let connection = try await loop.connect(toFirstOf: addresses, attemptDelay: .milliseconds(20))
                let took = begin.duration(to: loop.clock.now)
                #expect(took >= .milliseconds(58))
                #expect(took < .seconds(1))
                #expect(try peer(of: connection) == good)
                await connection.close()
            }
        }
    }

    /// Without alternation, the second IPv6 address would win.
    @Test func theFamiliesAlternate() throws {
        try withTask { loop async throws in
            let silent = try SilentListener(.v6)
            try await loop.withTCPListener(on: SocketAddress(parsing: "::1", port: 0)) { six in
                try await loop.withTCPListener(on: .loopback(port: 0)) { four in
                    let addresses = [silent.address, six.localAddress, four.localAddress]
                    let connection = try await loop.connect(toFirstOf: addresses, attemptDelay: .milliseconds(20))
                    #expect(try peer(of: connection) == four.localAddress)
                    await connection.close()
                }
            }
        }
    }

    /// The kernel repeats its request after a second, when the first listener accepts again.
    @Test func anEarlierAttemptMayStillWin() throws {
        try withTask { loop async throws in
            let first = try SilentListener(.v4)
            let second = try SilentListener(.v4)
            let attempt = Task(executorPreference: loop) {
                try await loop.connect(toFirstOf: [first.address, second.address], attemptDelay: .milliseconds(1))
            }
            try await loop.sleep(for: .milliseconds(50))
            first.acceptOne()
            let connection = try await attempt.value
            #expect(try peer(of: connection) == first.address)
            await connection.close()
        }
    }

    /// `withTask` fails the test if an attempt stays open.
    @Test func cancellingEndsAllAttempts() throws {
        try withTask { loop async throws in
            let silent = try (0..<3).map { _ in try SilentListener(.v4) }
            defer { withExtendedLifetime(silent) {} }
            for pause in [0, 30] {
                let attempt = Task(executorPreference: loop) {
                    try await loop.connect(toFirstOf: silent.map(\.address), attemptDelay: .milliseconds(5))
                }
                try await loop.sleep(for: .milliseconds(pause))
                attempt.cancel()
                let result = await attempt.result
                #expect(throws: UVError(.cancelled, operation: "uv_tcp_connect")) { try result.get() }
            }
            await #expect(throws: UVError(.timedOut, operation: "withTimeout")) {
                try await loop.withTimeout(.milliseconds(30)) {
                    _ = try await loop.connect(toFirstOf: silent.map(\.address), attemptDelay: .seconds(1000))
                }
            }
        }
    }

    @Test func closingTheLoopEndsAllAttempts() throws {
        let silent = try (0..<2).map { _ in try SilentListener(.v4) }
        defer { withExtendedLifetime(silent) {} }
        let loop = try UVLoop()
        let ended = Counter()
        Task(executorPreference: loop) {
            do throws(UVError) {
                _ = try await loop.connect(toFirstOf: silent.map(\.address), attemptDelay: .zero)
            } catch { ended.add(error.code == .cancelled ? 1 : 100) }
        }
        for _ in 0..<5 { try loop.run(.noWait) }
        try loop.close()
        #expect(ended.value == 1)
        #expect(loop.refusedTaskCount == 0)
    }

    /// In a network namespace, packets to one network are dropped, as behind a broken router.
    @Test(.enabled(if: NetworkNamespace.isPermitted, "the process may not create network namespaces"))
    func anAddressWhosePacketsAreDroppedIsSkipped() throws {
        let outcome = Counter()
        let threads = LibUVTests.ThreadGroup()
        try threads.start {
            #expect(throws: Never.self) {
                try NetworkNamespace.enter()
                try withTask { loop async throws in
                    for arguments in [["link", "set", "lo", "up"], ["route", "add", "198.51.100.0/24", "dev", "lo"]] {
                        let options = UVProcess.Options(program: "/usr/sbin/ip", arguments: arguments)
                        try #require(try await loop.runProcess(options) == .exited(0))
                    }
                    try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                        let good = connections.localAddress
                        let dropped = try ["198.51.100.1", "198.51.100.2"].map {
                            try SocketAddress(parsing: $0, port: good.port)
                        }
                        let begin = loop.clock.now
                        let connection = try await loop.connect(toFirstOf: dropped + [good])
                        let took = begin.duration(to: loop.clock.now)
                        #expect(took >= .milliseconds(490))
                        #expect(took < .seconds(1))
                        #expect(try peer(of: connection) == good)
                        await connection.close()
                        outcome.add()
                    }
                }
            }
        }
        threads.join()
        #expect(outcome.value == 1)
    }
}

private func peer(of connection: UVConnection) throws -> SocketAddress {
    try #require(connection.stream as? UVTCPStream).remoteAddress
}

/// A listener whose queue is full, so that the kernel drops further requests to connect.
private final class SilentListener: @unchecked Sendable {
    // @unchecked Sendable: the descriptors do not change, and `acceptOne` is called on one thread.
    enum Family { case v4, v6 }

    let address: SocketAddress
    private let listener: Int32
    private let client: Int32

    init(_ family: Family) throws {
        let domain = family == .v4 ? AF_INET : AF_INET6
        listener = socket(domain, Int32(SOCK_STREAM.rawValue), 0)
        client = socket(domain, Int32(SOCK_STREAM.rawValue), 0)
        guard listen(listener, 0) == 0 else { throw SystemFailure() }
        // The kernel has bound the socket to a free port.
        var name = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let (listener, client) = (listener, client)
        let status = unsafe withUnsafeMutableBytes(of: &name) { bytes -> Int32 in
            guard let raw = unsafe bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
            if unsafe getsockname(listener, raw, &length) != 0 { return -1 }
            return unsafe connect(client, raw, length)
        }
        guard status == 0 else { throw SystemFailure() }
        let port = unsafe withUnsafeBytes(of: &name) { unsafe UInt16($0[2]) << 8 | UInt16($0[3]) }
        address = try SocketAddress(parsing: family == .v4 ? "127.0.0.1" : "::1", port: port)
    }

    deinit {
        closeDescriptor(listener)
        closeDescriptor(client)
    }

    /// Makes room in the queue.
    func acceptOne() { closeDescriptor(accept(listener, nil, nil)) }
}

@_silgen_name("unshare") private func unshare(_ flags: Int32) -> Int32

/// A network namespace for one thread.
private enum NetworkNamespace {
    /// Whether this process may create one and has the program that configures it.
    static var isPermitted: Bool {
        let count = Counter()
        let threads = LibUVTests.ThreadGroup()
        do { try threads.start { if (try? enter()) != nil { count.add() } } } catch { return false }
        threads.join()
        return unsafe count.value == 1 && access("/usr/sbin/ip", X_OK) == 0
    }

    /// Moves the calling thread to a new namespace.
    static func enter() throws {
        let newNetwork: Int32 = 0x4000_0000
        guard unshare(newNetwork) == 0 else { throw SystemFailure() }
    }
}
