import LibUV
import Logging
import ServiceLifecycle

// lifecycle-service [PORT] runs an echo server as a service of swift-service-lifecycle. The server has a loop that runs
// on its own thread. SIGTERM begins a graceful shutdown: the server accepts no more connections, and gives its clients
// five seconds to end theirs.
struct EchoService: Service {
    let address: SocketAddress

    func run() async throws {
        let thread = try UVLoopThread(name: "echo")
        try await thread.run { loop in
            try await loop.withTCPListener(on: address) { connections in
                print("listening on \(connections.localAddress)")
                try await withGracefulShutdownHandler {
                    try await connections.serve { connection in
                        while let bytes = try await connection.read() { try await connection.write(bytes) }
                    }
                } onGracefulShutdown: {
                    connections.finish(within: .seconds(5))
                }
            }
        }
        let leftOpen = try await thread.shutdown()
        print("stopped; closed for us: \(leftOpen.map(\.type))")
    }
}

let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000
let services = ServiceGroup(
    services: [EchoService(address: .loopback(port: port))], gracefulShutdownSignals: [.sigterm, .sigint],
    logger: Logger(label: "lifecycle-service"))
try await services.run()
