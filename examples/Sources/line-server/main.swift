import Glibc
import LibUV

// line-server [PORT [PATH]] replies to each line with the reversed line, on a TCP port and on a Unix domain socket. A
// client has five seconds for each request. SIGTERM and SIGINT stop the server gracefully: it accepts no more
// connections, and gives its clients five seconds to end theirs.
let arguments = CommandLine.arguments.dropFirst()
let port = arguments.first.flatMap { UInt16($0) } ?? 7000
let path = arguments.dropFirst().first ?? "/tmp/line-server.sock"

@Sendable func serve(_ connection: UVConnection) async throws {
    let loop = connection.loop
    let reader = UVBufferedReader(connection)
    do {
        while let line = try await loop.withTimeout(.seconds(5), { try await reader.line(limit: 4096) }) {
            try await connection.write(String(line.reversed()) + "\n", within: .seconds(5))
        }
    } catch UVReadError.limitExceeded(let limit) {
        try await connection.write("error: a line has at most \(limit) bytes\n")
    } catch let error as UVError where error.code == .timedOut {
        try await connection.write("error: no request for 5 seconds\n")
    }
}

try UVLoop.run { loop in
    try await loop.withTCPListener(on: .loopback(port: port)) { tcp in
        try await loop.withPipeListener(on: .path(path)) { local in
            print("listening on \(tcp.localAddress) and \(path)")
            let signals = try loop.signals([SIGTERM, SIGINT])
            let stopping = loop.task {
                _ = try await signals.next()
                for connections in [tcp, local] { connections.finish(within: .seconds(5)) }
            }
            async let first: Void = tcp.serve(limit: 1000, serve)
            async let second: Void = local.serve(limit: 1000, serve)
            _ = try await (first, second)
            stopping.cancel()
        }
    }
    print("stopped")
}
