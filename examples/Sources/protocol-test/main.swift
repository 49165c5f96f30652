import LibUV

// protocol-test tests the code of a protocol without a network: the two ends of `UVTCPStream.pair` are connected
// sockets on one loop. The server's code is the same as in a real server.

/// Replies to each line with its length.
@Sendable func serve(_ connection: UVConnection) async throws {
    for try await line in UVBufferedReader(connection).lines { try await connection.write("\(line.utf8.count)\n") }
}

try UVLoop.run { loop in
    let (near, far) = try UVTCPStream.pair(on: loop)
    let (client, server) = (try UVConnection(near), try UVConnection(far))
    let serving = loop.task { try await server.closing { server in try await serve(server) } }
    // The request arrives in pieces, and contains several lines.
    for piece in ["on", "e\ntwo", "two\n", "\n"] {
        try await client.write(piece)
        try await client.flush()
    }
    try await client.shutdown()
    var replies: [String] = []
    for try await reply in UVBufferedReader(client).lines { replies.append(reply) }
    await client.close()
    try await serving.value
    precondition(replies == ["3", "6", "0"], "\(replies)")
    print("all replies are right")
}
