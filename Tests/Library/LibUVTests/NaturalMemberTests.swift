import Glibc
import LibUV
import Testing

extension NaturalTaskTests {
    @Test(arguments: Kind.allCases) func serversReadersAndConnectionsByNameRunInAnyTask(_ kind: Kind) async throws {
        try await withOuterTask { loop in
            let calls = Counter()
            try await kind.run(on: loop) {
                try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                    let address = connections.localAddress
                    let server = Task {
                        try await connections.serve { connection in
                            try await connection.setNoDelay(true)
                            while let buffer = try await connection.read() { try await connection.write(buffer) }
                        }
                    }
                    try await loop.withTCPConnection(toHost: "127.0.0.1", port: address.port) { client in
                        #expect(try await client.remoteAddress == address)
                        #expect(try await client.localAddress.port != address.port)
                        try await client.write(UVSharedBuffer(copying: "shared\n"))
                        try await client.write("within\n", within: .seconds(20))
                        let reader = UVBufferedReader(client)
                        #expect(try await reader.line() == "shared")
                        #expect(try await reader.line() == "within")
                        calls.add()
                    }
                    let client = try await loop.connect(toFirstOf: [address])
                    try await client.write("x")
                    #expect(try await client.read(within: .seconds(20))?.bytes == [0x78])
                    await client.close()
                    connections.finish()
                    try await server.value
                    calls.add()
                }
            }
            #expect(calls.value == 2)
        }
    }

    @Test(arguments: Kind.allCases) func pipesProcessesSignalsAndTicksWorkInAnyTask(_ kind: Kind) async throws {
        try await withOuterTask { loop in
            let calls = Counter()
            try await kind.run(on: loop) {
                let name = UVPipeName.abstract(temporaryPath())
                try await loop.withPipeListener(on: name) { connections in
                    let client = try await loop.connect(to: name)
                    let server = try #require(try await connections.next())
                    try await client.write("pipe")
                    #expect(try await server.read()?.bytes == Array("pipe".utf8))
                    await client.close()
                    await server.close()
                    calls.add()
                }
                let output = try await loop.output(of: .init(program: "echo", arguments: ["hello"]))
                #expect(output.standardOutput == Array("hello\n".utf8))
                // The kernel ignores this signal if no program watches it.
                let signals = try await loop.task { try loop.signals([SIGWINCH]) }.value
                kill(getpid(), SIGWINCH)
                #expect(try await signals.next() == SIGWINCH)
                for try await _ in loop.ticks(every: .milliseconds(1)) { break }
                calls.add()
            }
            #expect(calls.value == 2)
        }
    }
}
