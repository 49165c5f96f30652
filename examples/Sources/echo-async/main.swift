import Glibc
import LibUV

// A server that sends back what it gets, with async/await: echo-async [PORT]. Compare it with echo-callbacks.
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000

let loop = try UVLoop()
try loop.run {
    // Ends `run` by cancelling this task, which ends all that it waits for.
    let signal = try UVSignal(on: loop)
    try signal.startOnce(SIGTERM) { signal, _ in signal.loop.stop() }
    try await loop.withTCPListener(on: .loopback(port: port)) { connections in
        print("listening on \(connections.localAddress)")
        try await connections.serve { connection in
            // Nothing is read before it is asked for, and `write` waits while the client does not read.
            while let bytes = try await connection.read() { try await connection.write(bytes) }
        }
    }
    signal.close()
}
let leftOpen = try loop.close().map(\.type).sorted()
let ledger = loop.ledger
print("stopped; closed for us: \(leftOpen); buffers held: \(ledger.held), in flight: \(ledger.inFlight)")
