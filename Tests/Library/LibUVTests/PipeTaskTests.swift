import CDispatch
import Foundation
import LibUV
import Testing

/// Tests of Unix domain sockets in tasks.
@Suite(.timeLimit(.minutes(1))) struct PipeTaskTests {
    /// Promise of the article "Stopping a server".
    @Test(arguments: [UVPipeName.path(temporaryPath()), .abstract(temporaryPath())])
    func aServerAndItsClientsUseTheWordsOfTCP(_ name: UVPipeName) throws {
        try withTask { loop in
            try await loop.withPipeListener(on: name) { connections in
                #expect(connections.localName == name)
                #expect(connections.localAddress == .any(port: 0))
                let server = Task(executorPreference: loop) {
                    try await connections.serve(limit: 2) { connection in
                        while let bytes = try await connection.read() { try await connection.write(bytes) }
                    }
                }
                for _ in 0..<5 {
                    let echo = try await loop.withPipeConnection(to: name) { connection in
                        try await connection.write("abc")
                        try await connection.shutdown()
                        return try await connection.readAll()
                    }
                    #expect(echo == Array("abc".utf8))
                }
                connections.finish()
                try await server.value
            }
            if let path = name.path { #expect(unsafe access(path, F_OK) != 0) }
        }
    }

    @Test func failuresAreReported() throws {
        try withTask { loop in
            let name = UVPipeName.path(temporaryPath())
            await #expect(throws: UVError(.noSuchFile, operation: "uv_pipe_connect")) {
                try await loop.withPipeConnection(to: name) { _ in }
            }
            try await loop.withPipeListener(on: name, allowingAllUsers: [.readable, .writable]) { _ in
                var status = stat()
                #expect(unsafe stat(name.path ?? "", &status) == 0)
                #expect(status.st_mode & 0o666 == 0o666)
                _ = await #expect(throws: UVError(.addressInUse, operation: "uv_pipe_bind")) {
                    try await loop.withPipeListener(on: name) { _ in }
                }
            }
        }
    }

    /// An address in use is an error of listening, and not of reading the address.
    @Test func aPortInUseIsReportedByListen() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                _ = await #expect(throws: UVError(.addressInUse, operation: "uv_listen")) {
                    try await loop.withTCPListener(on: connections.localAddress) { _ in }
                }
            }
        }
    }

    @Test func addressesAndNoDelayBelongToTCP() throws {
        try withTask { loop in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let client = try await loop.connect(to: connections.localAddress)
                let server = try #require(try await connections.next())
                let clientAddresses = (try await client.localAddress, try await client.remoteAddress)
                let serverAddresses = (try await server.localAddress, try await server.remoteAddress)
                #expect(clientAddresses.1 == connections.localAddress)
                #expect(serverAddresses.0 == connections.localAddress)
                #expect(serverAddresses.1 == clientAddresses.0)
                try await server.setNoDelay(true)
                await server.close()
                await #expect(throws: UVError(.cancelled, operation: "uv_close")) { try await server.localAddress }
                await #expect(throws: UVError(.cancelled, operation: "uv_close")) { try await server.remoteAddress }
                await #expect(throws: UVError(.cancelled, operation: "uv_close")) { try await server.setNoDelay(true) }
                await client.close()
            }
            let (near, far) = try UVPipe.pair(on: loop)
            let pipe = try UVConnection(near)
            await #expect(throws: UVError(.notSupported, operation: "uv_tcp_getsockname")) {
                try await pipe.localAddress
            }
            await #expect(throws: UVError(.notSupported, operation: "uv_tcp_getpeername")) {
                try await pipe.remoteAddress
            }
            await #expect(throws: UVError(.notSupported, operation: "uv_tcp_nodelay")) {
                try await pipe.setNoDelay(true)
            }
            far.close()
            await pipe.close()
        }
    }
}
