import Measurements
import SocketAddresses
import SystemCalls
import Testing

@testable import LoadGenerator

/// Tests of pacing without sockets and clocks; each test chooses the times.
@Suite struct PacerTests {
    private var plan: LoadConnections {
        LoadConnections(targets: [.loopback(port: 1), .loopback(port: 2)], sizes: .smallest)
    }

    /// Creates a table with an open connection to each of two targets.
    private func connections(depth: Int = 1) -> ConnectionTable {
        var plan = plan
        plan.depth = depth
        var connections = ConnectionTable(plan, isBulk: false)
        for index in 0..<connections.rows.count {
            connections.connect(index, -1)
            connections.open(index)
        }
        return connections
    }

    /// Creates traffic to one target, in which a request is due every microsecond.
    private func traffic() throws -> Traffic {
        .paced(ArrivalSource(try #require(ArrivalSchedule(.uniform, rate: 1e6, seed: 0))))
    }

    private func span(end: UInt64 = .max) -> TrafficSpan {
        TrafficSpan(start: 1000, end: end)
    }

    @Test func nothingIsSentBeforeItBegins() {
        var pacer = Pacer(plan)
        let connections = connections()
        #expect(pacer.pacing == .stopped)
        #expect(pacer.takeConnection(at: .max, connections) == nil)
        #expect(pacer.unsentCount == 0)
    }

    @Test func aSlotIsSentWhenItIsDue() throws {
        var pacer = Pacer(plan)
        let connections = connections()
        pacer.begin(try traffic(), over: span(), connections)
        #expect(pacer.pacing == .scheduled)
        #expect(pacer.due == 1000)
        #expect(pacer.takeConnection(at: 999, connections) == nil)
        #expect(pacer.pacing == .scheduled)
        #expect(pacer.takeConnection(at: 1400, connections) == 0)
        #expect(pacer.lag(at: 1400) == 400)
        pacer.advance()
        #expect(pacer.due == 2000)
        #expect(pacer.lag(at: 1500) == 0)
    }

    @Test func aSlotWaitsWhileEveryConnectionIsBusy() throws {
        var pacer = Pacer(plan)
        var connections = connections()
        pacer.begin(try traffic(), over: span(), connections)
        #expect(pacer.takeConnection(at: 1000, connections) == 0)
        connections.begin(Request(), on: 0)
        pacer.append(0, connections)
        pacer.advance()
        #expect(pacer.takeConnection(at: 2000, connections) == nil)
        #expect(pacer.pacing == .held)
        #expect(pacer.queuedCount == 1)
        // The next call considers the same request again, and does not count it twice.
        #expect(pacer.takeConnection(at: 3000, connections) == nil)
        #expect(pacer.queuedCount == 1)
        pacer.release(at: 3000, connections)
        #expect(pacer.pacing == .held)

        let wasFull = connections.end(on: 0)
        #expect(wasFull)
        pacer.append(0, connections)
        pacer.release(at: 4000, connections)
        #expect(pacer.pacing == .scheduled)
        #expect(pacer.takeConnection(at: 4100, connections) == 0)
        // The request was due at 2000, but could not be sent before 4000.
        #expect(pacer.lag(at: 4100) == 100)
    }

    @Test func aSlotWaitsWhileAnotherTargetIsBusy() throws {
        var pacer = Pacer(plan)
        var connections = connections()
        connections.begin(Request(), on: 1)
        pacer.begin(try traffic(), over: span(), connections)
        #expect(pacer.takeConnection(at: 1000, connections) == nil)
        #expect(pacer.pacing == .held)
        #expect(pacer.isContended == true)
        #expect(pacer.queuedCount == 0)
        _ = connections.end(on: 1)
        pacer.release(at: 1500, connections)
        #expect(pacer.takeConnection(at: 1500, connections) == 0)
        #expect(pacer.isContended == true)
        pacer.advance()
        #expect(pacer.isContended == false)
    }

    @Test func aConnectionWithRoomIsUsedAgain() throws {
        var pacer = Pacer(plan)
        var connections = connections(depth: 2)
        pacer.begin(try traffic(), over: span(), connections)
        for _ in 0..<2 {
            #expect(pacer.takeConnection(at: 5000, connections) == 0)
            connections.begin(Request(), on: 0)
            pacer.append(0, connections)
            pacer.advance()
        }
        #expect(pacer.takeConnection(at: 5000, connections) == nil)
        // Before the first reply, the connection had two open requests and was full. Before the second reply, it had
        // only one and was not full.
        let wereFull = [connections.end(on: 0), connections.end(on: 0)]
        #expect(wereFull == [true, false])
    }

    @Test func aClosedConnectionIsNotTaken() throws {
        var pacer = Pacer(plan)
        var connections = connections()
        pacer.begin(try traffic(), over: span(), connections)
        connections.close(0)
        #expect(pacer.takeConnection(at: 1000, connections) == nil)
        #expect(pacer.pacing == .held)
        #expect(connections.hasDesertedTarget == true)
    }

    @Test func theEndStopsThePacing() throws {
        var pacer = Pacer(plan)
        let connections = connections()
        pacer.begin(try traffic(), over: span(end: 3500), connections)
        // Requests are due at 1000, 2000 and 3000.
        #expect(pacer.unsentCount == 3)
        pacer.advance()
        #expect(pacer.unsentCount == 2)
        pacer.advance()
        pacer.advance()
        #expect(pacer.pacing == .stopped)
        #expect(pacer.unsentCount == 0)
    }

    @Test func requestsCountFromTheWarmUpOn() {
        var pacer = Pacer(plan)
        let connections = connections()
        pacer.begin(
            .closed(target: 0), over: TrafficSpan(start: 1000, measuredFrom: 2000, count: 2), connections)
        #expect(pacer.pacing == .closedLoop)
        #expect([1999, 2000, 2001].map { pacer.countRequest(intended: $0) } == [false, false, true])
        pacer.stop()
        #expect(pacer.pacing == .stopped)
    }

    @Test func slowConnectionsTakeTurns() {
        var plan = plan
        plan.slowReaderCount = 1
        plan.slowWriterCount = 1
        plan.slowInterval = .microseconds(4)
        let connections = ConnectionTable(plan, isBulk: false)
        var turns = SlowTurns()
        #expect(turns.take(at: .max - 1, connections) == nil)
        turns.begin(at: 1000, plan)
        // Each target has a row for requests, a row for a slow reader and a row for a slow writer. Every microsecond,
        // one of the four rows for slow connections is due.
        #expect(turns.take(at: 999, connections) == nil)
        #expect((0..<5).map { turns.take(at: 1000 + $0 * 1000, connections) } == [1, 2, 4, 5, 1])
        #expect(turns.take(at: 5500, connections) == nil)
        turns.skip(to: 100_000)
        #expect(turns.next == 101_000)
        turns.stop()
        #expect(turns.next == .max)
    }
}
