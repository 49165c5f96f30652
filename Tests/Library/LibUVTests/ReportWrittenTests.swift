import LibUV
import Testing

/// `UVStream.reportWritten`: a program that goes over its streams asks each one's closure to look.
@Suite(.timeLimit(.minutes(1))) struct ReportWrittenTests {
    @Test(arguments: StreamKind.allCases) func theClosureIsCalledAtOnce(_ kind: StreamKind) throws {
        try withLoop { loop in
            let connection = try StreamPair.make(kind, on: loop)
            var calls = 0
            // Without a closure, nothing happens.
            connection.server.reportWritten()
            try connection.server.startReading { _, event in if case .written = event { calls += 1 } }
            connection.server.reportWritten()
            #expect(calls == 1)
            loop.walk { handle in (handle as? UVStream)?.reportWritten() }
            #expect(calls == 2)
            connection.server.close()
            connection.server.reportWritten()
            #expect(calls == 2)
            connection.client.close()
            try loop.run()
        }
    }

    @Test func theClosureMayCloseItsStream() throws {
        try withLoop { loop in
            let connection = try StreamPair.make(.tcp, on: loop)
            var events: [String] = []
            try connection.server.startReading { stream, event in
                switch event {
                case .written:
                    events.append("written")
                    stream.close()
                case .closed: events.append("closed")
                default: events.append("other")
                }
            }
            connection.server.reportWritten()
            connection.client.close()
            try loop.run()
            #expect(events == ["written", "closed"])
        }
    }
}
