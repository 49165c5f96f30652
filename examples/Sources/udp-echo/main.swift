import LibUV

// udp-echo [PORT] sends each datagram back to its sender.
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000

try UVLoop.with { loop throws(UVError) in
    let socket = try UVUDP(on: loop)
    try socket.bind(to: .loopback(port: port))
    try socket.startReceiving { socket, event in
        // The loop truncates a datagram that is longer than its read buffer. The server does not reply to such a
        // datagram.
        guard case .datagram(let bytes, let sender, isTruncated: false) = event else { return }
        var answer = socket.loop.makeBuffer(capacity: bytes.count)
        answer.append(copying: bytes)
        try? socket.send(answer, to: sender)
    }
    print("listening on \(try socket.localAddress)")
    try loop.run()
}
