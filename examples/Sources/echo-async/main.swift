import Glibc
import LibUV

// echo-async [PORT] runs an echo server that is written with async/await. Compare it with echo-callbacks.
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000

let loop = try UVLoop()
try loop.runTask {
    // `stop` cancels this task and everything that the task awaits. Then `runTask` returns.
    let signal = try UVSignal(on: loop)
    try signal.startOnce(SIGTERM) { signal, _ in signal.loop.stop() }
    try await loop.withTCPListener(on: .loopback(port: port)) { connections in
        print("listening on \(connections.localAddress)")
        try await connections.serve { connection in
            // The connection buffers a limited number of bytes until `read` returns them. `write` suspends while too
            // many bytes are queued because the client does not read.
            while let bytes = try await connection.read() { try await connection.write(bytes) }
        }
    }
    signal.close()
}
let leftOpen = try loop.close().map(\.type).sorted()
let buffers = loop.statistics.buffers
print("stopped; closed for us: \(leftOpen); buffers held: \(buffers.held), in flight: \(buffers.inFlight)")
