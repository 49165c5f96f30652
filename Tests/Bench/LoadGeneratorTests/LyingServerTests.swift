import LoadGenerator
import SocketAddresses
import SystemCalls
import Testing

/// Tests that a load detects the single fault of a server, classifies it and counts it.
@Suite(.timeLimit(.minutes(2))) struct LyingServerTests {
    private func faults(
        _ lie: LyingServer.Lie, connections: Int = 1, depth: Int = 1, count: Int = 40, sizes: String = "16",
        pace: LoadPlan.Pace = .closed, _ change: (inout LoadPlan) -> Void = { _ in }
    ) throws -> (Faults, LoadResult) {
        let server = try LyingServer(lie)
        let plan = try HonestServerTests.plan(server.address, pace: pace, count: count, sizes: sizes) {
            $0.connections.count = connections
            $0.connections.depth = depth
            $0.connections.timeout = .milliseconds(400)
            change(&$0)
        }
        let result = try LoadRun(plan)()
        guard case .failed = LoadConclusion(of: result, requiring: []) else {
            Issue.record("the lie was not detected: \(result.faults)")
            return (result.faults, result)
        }
        return (result.faults, result)
    }

    @Test(arguments: [1, 8]) func aWrongByteIsFound(depth: Int) throws {
        let (faults, result) = try faults(.wrongByte(reply: 5), depth: depth)
        #expect(faults.wrongReplies == 1)
        #expect(faults.abandonedRequests == depth - 1)
        #expect(faults.crossTalk == 0 && faults.lostReplies == 0 && faults.surplusBytes == 0)
        #expect(result.count == 4)
    }

    @Test func aWrongByteOfALongReplyIsFound() throws {
        // The timeout is long, because the server computes the reply byte by byte, which is slow under a sanitizer.
        let (faults, _) = try faults(.wrongByte(reply: 2), sizes: "300000") {
            $0.connections.timeout = .seconds(20)
        }
        #expect(faults.wrongReplies == 1)
    }

    @Test func aWrongByteOfOneIsFound() throws {
        #expect(try faults(.wrongByte(reply: 3), sizes: "1").0.wrongReplies == 1)
    }

    @Test func aMissingReplyIsALoss() throws {
        let (faults, result) = try faults(.missing(reply: 5))
        #expect(faults.lostReplies == 1)
        #expect(faults.wrongReplies == 0 && faults.crossTalk == 0 && faults.surplusBytes == 0)
        #expect(result.count == 4)
    }

    @Test func aMissingReplyAmongSeveralIsALoss() throws {
        let (faults, _) = try faults(.missing(reply: 5), depth: 4)
        #expect(faults.lostReplies == 1)
        #expect(faults.abandonedRequests == 3)
        #expect(faults.wrongReplies == 0 && faults.crossTalk == 0 && faults.surplusBytes == 0)
    }

    @Test func missingBytesAreALoss() throws {
        let (faults, _) = try faults(.cut(reply: 3, byteCount: 5), sizes: "64")
        #expect(faults.lostReplies == 1)
        #expect(faults.wrongReplies == 0 && faults.surplusBytes == 0)
    }

    @Test func surplusIsFound() throws {
        let (faults, _) = try faults(.surplus(reply: 5, [1, 2, 3]))
        #expect(faults.surplusBytes == 3)
        #expect(faults.wrongReplies == 0 && faults.crossTalk == 0 && faults.lostReplies == 0)
    }

    @Test func surplusAfterTheLastReplyIsFound() throws {
        let (faults, result) = try faults(.surplus(reply: 40, [1, 2, 3]))
        #expect(faults.surplusBytes == 3)
        #expect(result.count == 40)
    }

    @Test func surplusAmongSeveralIsFound() throws {
        let (faults, _) = try faults(.surplus(reply: 5, [1, 2, 3, 4, 5]), depth: 4)
        #expect(faults.surplusBytes == 5)
        #expect(faults.wrongReplies == 0 && faults.crossTalk == 0 && faults.lostReplies == 0)
    }

    @Test(arguments: ["16", "5000"]) func exchangedRepliesAreCrossTalk(sizes: String) throws {
        let (faults, _) = try faults(.exchange(reply: 7), connections: 2, sizes: sizes)
        // Each connection receives the reply of the other connection. After the first fault, the load gives up the
        // faulty connection. The second fault may then count as a wrong reply, because the reply matches no connection
        // that still waits for a reply.
        #expect(faults.crossTalk >= 1)
        #expect(faults.crossTalk + faults.wrongReplies == 2)
        #expect(faults.lostReplies == 0 && faults.surplusBytes == 0)
    }

    @Test func anEarlyEndOfStreamIsReported() throws {
        let (faults, _) = try faults(.end(reply: 5), depth: 2)
        #expect(faults.lostConnections == 1)
        #expect(faults.lostReplies == 2)
    }

    @Test func aConnectionThatIsLostBeforeItsFirstReplyHasNone() throws {
        let server = try LyingServer(.end(reply: 1))
        var engine = try LoadEngine.open(LoadConnections(targets: [server.address], sizes: .smallest))
        try engine.run(.closed(target: 0), over: TrafficSpan())
        #expect(engine.repliedConnectionCount == 0)
        let faults = engine.faults
        #expect(faults.lostReplies == 1)
        #expect(faults.lostConnections == 1)
    }

    @Test func bytesWithoutARequestAreSurplus() throws {
        let (faults, _) = try faults(.unasked([7, 7]), count: 1, pace: .idle) {
            $0.connections.count = 0
            $0.connections.idleCount = 1
            $0.count = nil
            $0.duration = .milliseconds(50)
        }
        #expect(faults.surplusBytes == 2)
    }

    @Test func silenceIsAnError() throws {
        #expect {
            try faults(.silence)
        } throws: {
            "\($0)".contains("were not greeted within 0.4 seconds")
        }
    }

    @Test func anotherGreetingIsAnError() throws {
        #expect {
            try faults(.greeting(0x21))
        } throws: {
            "\($0)".contains("greeted with 0x21 instead of '*'")
        }
    }

    @Test func aClosedPortIsAnError() throws {
        let address = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false).localAddress
        let plan = try HonestServerTests.plan(address)
        #expect {
            try LoadRun(plan)()
        } throws: {
            "\($0)".hasPrefix("cannot connect to \(address): Connection refused")
        }
    }

    @Test func aWrongGreetingOfARequestsOwnConnectionIsCounted() throws {
        let (faults, _) = try faults(.greeting(0x21)) { $0.connections.connectsForEachRequest = true }
        #expect(faults.failedConnections == 1)
        #expect(faults.lostReplies == 1)
    }

    @Test func aWrongByteInBulkIsFound() throws {
        let (faults, _) = try faults(.wrongByte(reply: 50), sizes: "1000", pace: .bulk) {
            $0.count = nil
            $0.duration = .seconds(5)
        }
        #expect(faults.wrongReplies == 1)
    }
}
