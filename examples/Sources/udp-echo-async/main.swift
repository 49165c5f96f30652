import Glibc
import LibUV

// udp-echo-async [PORT] sends each datagram back to its sender, in a task for each datagram. Compare it with udp-echo.
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000

try UVLoop.run { loop in
    try await loop.withDatagramSocket(on: .loopback(port: port)) { socket in
        print("listening on \(try socket.socket.localAddress)")
        let signals = try loop.signals([SIGTERM, SIGINT])
        let stopping = loop.task {
            _ = try await signals.next()
            // After this call, `serve` returns as soon as all tasks have ended.
            await socket.close()
        }
        // While 1000 tasks are running, datagrams wait in the socket and in the kernel, which drops those that do not
        // fit into its buffer.
        try await socket.serve(limit: 1000) { datagram in
            if datagram.isTruncated { return }
            let sender = datagram.sender
            try await socket.send(datagram.buffer, to: sender)
        }
        stopping.cancel()
    }
    print("stopped")
}
