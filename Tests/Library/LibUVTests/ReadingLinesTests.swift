import LibUV
import Testing

/// Tests of the server in the article "Reading lines and messages".
@Suite(.timeLimit(.minutes(1))) struct ReadingLinesTests {
    /// The function of the article, with a time limit for the tests.
    private static func serve(_ connection: UVConnection, within limit: Duration) async throws {
        let loop = connection.loop
        let reader = UVBufferedReader(connection)
        do {
            while let line = try await loop.withTimeout(limit, { try await reader.line(limit: 4096) }) {
                try await connection.write(String(line.reversed()) + "\n")
            }
        } catch UVReadError.limitExceeded(let limit) {
            try await connection.write("error: a line has at most \(limit) bytes\n")
        } catch let error as UVError where error.code == .timedOut {
            try await connection.write("error: no request in time\n")
        }
    }

    /// Sends each client's pieces to the server, and checks the replies.
    private func check(
        _ exchanges: [(pieces: [String], replies: String)], within limit: Duration, shutsDown: Bool
    ) throws {
        try withTask { loop async throws in
            try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let address = connections.localAddress
                let server = Task(executorPreference: loop) {
                    try await connections.serve { connection in
                        try await ReadingLinesTests.serve(connection, within: limit)
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (pieces, replies) in exchanges {
                        group.addTask {
                            try await loop.withTCPConnection(to: address) { connection in
                                for piece in pieces {
                                    try await connection.write(piece)
                                    try await loop.sleep(for: .milliseconds(1))
                                }
                                if shutsDown { try await connection.shutdown() }
                                #expect(try await String(decoding: connection.readAll(), as: UTF8.self) == replies)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                server.cancel()
                try await server.value
            }
        }
    }

    /// Promise of the article "Reading lines and messages".
    @Test func manyClientsGetRepliesToTheirLines() throws {
        let long = String(repeating: "x", count: 4096)
        let exchanges: [(pieces: [String], replies: String)] = [
            (["abc\n"], "cba\n"), (["a", "b", "c", "\r", "\n"], "cba\n"), (["ab\ncd\r\nef"], "ba\ndc\nfe\n"),
            (["\n\n"], "\n\n"), ([], ""), ([long, "\n"], long + "\n"),
            (["ok\n", long + "y\nlate\n"], "ko\nerror: a line has at most 4096 bytes\n"),
        ]
        try check(exchanges + exchanges + exchanges, within: .seconds(30), shutsDown: true)
    }

    /// Promises of the articles "Reading lines and messages" and "Stopping a server".
    @Test func aClientThatSendsNoCompleteRequestIsDisconnected() throws {
        let late = "error: no request in time\n"
        let exchanges: [(pieces: [String], replies: String)] = [
            ([], late), (["half"], late), (["ab\n", "cd"], "ba\n" + late),
        ]
        try check(exchanges, within: .milliseconds(50), shutsDown: false)
    }
}
