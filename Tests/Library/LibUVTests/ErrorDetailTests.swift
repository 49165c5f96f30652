import LibUV
import Testing

/// Tests of what errors say: the function that failed, and what it was applied to.
@Suite(.timeLimit(.minutes(1))) struct ErrorDetailTests {
    /// Returns the error that `body` throws.
    private static func failure(_ body: () throws -> Void) -> UVError? {
        do { try body() } catch { return error as? UVError }
        return nil
    }

    /// Promise of the article "Errors".
    @Test func codesAreCompared() {
        let error = UVError(.busy, operation: "uv_listen", detail: "here")
        #expect(error.code == .busy && error.code != .cancelled)
        #expect(error == UVError(.busy, operation: "uv_listen"))
        #expect(error != UVError(.busy, operation: "uv_accept"))
        #expect(Set([error, UVError(.busy, operation: "uv_listen")]).count == 1)
        #expect(UVError(code: UVError.Code.busy.rawValue, operation: "").code == .busy)
        #expect("\(error)" == "uv_listen: EBUSY (resource busy or locked): here")
        #expect("\(UVError(.busy, operation: "uv_listen"))" == "uv_listen: EBUSY (resource busy or locked)")
        do throws(UVError) { throw error } catch  where error.code == .busy {
        } catch { Issue.record("another code") }
    }

    /// Promise of the article "Errors".
    @Test func aTakenPortIsReportedByTheFunctionThatWantedIt() throws {
        try withTask { loop in
            let first = try UVTCPListener(on: loop)
            try first.bind(to: .loopback(port: 0))
            try first.listen { _, _ in }
            let address = try first.localAddress
            let error = await #expect(throws: UVError.self) { try await loop.withTCPListener(on: address) { _ in } }
            #expect(error == UVError(.addressInUse, operation: "uv_listen"))
            #expect(error?.detail == "\(address)")
            let second = try UVTCPListener(on: loop)
            try second.bind(to: address)
            #expect(throws: UVError(.addressInUse, operation: "uv_tcp_bind")) { try second.localAddress }
            let listening = ErrorDetailTests.failure { try second.listen { _, _ in } }
            #expect(listening == UVError(.addressInUse, operation: "uv_listen"))
            #expect(listening?.detail == "\(address)")
            let stream = try UVTCPStream(on: loop)
            try stream.bind(to: address)
            #expect(throws: UVError(.addressInUse, operation: "uv_tcp_bind")) { try stream.localAddress }
            for handle in [first, second, stream] as [UVHandle] { handle.close() }
        }
    }

    /// Promise of the article "Errors".
    @Test func datagramsAndPipesNameWhatIsTaken() throws {
        try withTask { loop in
            let (first, second) = (try UVUDP(on: loop), try UVUDP(on: loop))
            try first.bind(to: .loopback(port: 0))
            let address = try first.localAddress
            let taken = ErrorDetailTests.failure { try second.bind(to: address) }
            #expect(taken == UVError(.addressInUse, operation: "uv_udp_bind") && taken?.detail == "\(address)")
            let name = UVPipeName.abstract("swift-libuv-taken-\(UVCurrentProcess.processID)")
            let (pipe, other) = (try UVPipeListener(on: loop), try UVPipeListener(on: loop))
            try pipe.bind(to: name)
            try pipe.listen { _, _ in }
            let same = ErrorDetailTests.failure { try other.bind(to: name) }
            #expect(same == UVError(.addressInUse, operation: "uv_pipe_bind") && same?.detail == "\(name)")
            for handle in [first, second, pipe, other] as [UVHandle] { handle.close() }
        }
    }

    @Test func aFailedConnectionNamesItsAddress() throws {
        try withTask { loop in
            let unused = try UVTCPListener(on: loop)
            try unused.bind(to: .loopback(port: 0))
            let address = try unused.localAddress
            let refused = await #expect(throws: UVError.self) { _ = try await loop.connect(to: address) }
            #expect(refused == UVError(.connectionRefused, operation: "uv_tcp_connect"))
            #expect(refused?.detail == "\(address)")
            unused.close()
        }
        try withLoop { loop in
            var failures: [UVError] = []
            for name in [UVPipeName.path("/nonexistent/socket"), .abstract("swift-libuv-unused")] {
                let pipe = try UVPipe(on: loop)
                try pipe.connect(to: name) { result in
                    if case .failure(let error) = result { failures.append(error) }
                    pipe.close()
                }
            }
            try loop.run()
            #expect(Set(failures.map(\.detail)) == ["/nonexistent/socket", "@swift-libuv-unused"])
            #expect(failures.allSatisfy { $0.operation == "uv_pipe_connect" })
        }
    }

    /// Promise of the article "Errors".
    @Test func aProgramAndANameAreNamed() throws {
        try withTask { loop in
            let missing = ErrorDetailTests.failure {
                _ = try UVProcess(on: loop, options: .init(program: "/nonexistent"))
            }
            #expect(missing?.detail == "/nonexistent")
            let unknown = await #expect(throws: UVError.self) {
                try await loop.resolve("no.address", options: .numericNode)
            }
            #expect(unknown?.detail == "no.address")
        }
    }

    /// libuv before 1.52 sets the option, and then spins when the kernel reports an error.
    @Test func extendedErrorsNeedALibuvThatReportsThem() throws {
        try withLoop { loop in
            let socket = try UVUDP(on: loop)
            if UVVersion.running < UVVersion(encoded: 0x013400) {
                let error = ErrorDetailTests.failure {
                    try socket.bind(to: .loopback(port: 0), options: .extendedErrors)
                }
                #expect(error == UVError(.notSupported, operation: "uv_udp_bind"))
                #expect(error?.detail == "extendedErrors needs libuv 1.52")
                // The socket can still be bound without the option.
                try socket.bind(to: .loopback(port: 0))
            } else {
                try socket.bind(to: .loopback(port: 0), options: .extendedErrors)
            }
            socket.close()
            try loop.run()
        }
    }

    @Test func theLedgerShowsAllItsNumbers() throws {
        let loop = try UVLoop()
        do {
            let buffer = loop.makeBuffer(capacity: 10)
            #expect("\(loop.statistics.buffers)" == "UVBufferCounts(made: 1, pooled: 0, held: 1, inFlight: 0)")
            _ = buffer.count
        }
        #expect("\(loop.statistics.buffers)" == "UVBufferCounts(made: 1, pooled: 1, held: 0, inFlight: 0)")
        try loop.close()
    }
}
