import LoadGenerator
import Measurements
import SocketAddresses
import SystemCalls
import Testing

@testable import Comparison

/// Tests of short comparisons of real servers; they check counts and messages, but no durations.
@Suite(.serialized, .timeLimit(.minutes(4))) struct ServerComparisonTests {
    private func compare(
        _ servers: [String], loads: [ComparedLoad] = [.one], blocks: Int = 4,
        _ change: (inout ComparisonPlan) -> Void = { _ in }
    ) throws -> ComparisonReport {
        var plan = ComparisonPlan(servers: try servers.map { try ServerSpecification(parsing: $0) })
        plan.loads = loads
        plan.starts = 2
        plan.blocks = blocks
        plan.requests = 30
        (plan.uvserver, plan.uvbench) = (ModelBenchmarkTests.program, ModelBenchmarkTests.benchProgram)
        plan.time = .seconds(1)
        change(&plan)
        return try ServerComparison(plan).run()
    }

    @Test func theReportHasEverything() throws {
        var told: [Int] = []
        var plan = ComparisonPlan(servers: try ["epoll", "libuv", "poll"].map { try ServerSpecification(parsing: $0) })
        plan.starts = 2
        plan.blocks = 4
        plan.requests = 40
        plan.rates = [200, 400]
        plan.drawsLanes = true
        (plan.uvserver, plan.uvbench) = (ModelBenchmarkTests.program, ModelBenchmarkTests.benchProgram)
        var comparison = ServerComparison(plan)
        comparison.progress = { told.append($0.done) }
        let report = try comparison.run()
        let load = try #require(report.loads.first)
        #expect(told == [1, 2, 3, 4])
        #expect(load.variants.map(\.name) == ["epoll", "libuv", "poll", "epoll again", "floor"])
        #expect(load.variants.map(\.role) == [.reference, .candidate, .candidate, .control, .floor])
        #expect(load.comparisons.map(\.candidate) == ["libuv", "poll"])
        #expect(load.noiseFloor != nil)
        #expect(!load.controlRows.isEmpty)
        // The matrix compares each of the three servers with the two other servers.
        #expect(load.matrix.count == 6)
        #expect(load.plan.circumstances.blocks == 4)
        #expect(load.plan.circumstances.starts == 2)
        #expect(load.heatMaps.count == 5)
        #expect(report.ladders.map(\.variant) == ["epoll", "libuv", "poll", "floor"])
        #expect(report.ladders.allSatisfy { $0.steps.count == 4 })
        #expect(report.lanes.map(\.variant) == ["epoll", "libuv", "poll"])
        #expect(report.lanes.allSatisfy { $0.lanes.count == 3 && $0.lanes.allSatisfy(\.succeeded) })
        for variant in load.variants {
            #expect(variant.faults.isClean, "\(variant.name): \(variant.faults)")
            // Each of four blocks has forty samples. The first request of each connection is counted separately.
            #expect(variant.latency(.response)?.count == 160)
            #expect(variant.cost?.threads != nil)
        }
        // The blocks have too few requests for a verdict.
        #expect(load.comparisons.allSatisfy { $0.verdict == .undecided })
    }

    @Test func everyLoadIsMeasured() throws {
        let numbers = try #require(ComparedLoad.named("20x1024"))
        let report = try compare(["epoll", "libuv"], loads: [.many, .stalled, .churn, .large, numbers], blocks: 2)
        #expect(report.loads.map(\.plan.name) == ["many", "stalled", "churn", "large", "20x1024"])
        for load in report.loads {
            #expect(load.variants.allSatisfy { $0.faults.isClean }, "\(load.plan.name): \(load.warnings)")
            #expect(load.variants.allSatisfy { ($0.latency(.response)?.count ?? 0) > 0 })
        }
    }

    @Test func aLoadCanBeGivenByItsNumbers() throws {
        let load = try #require(ComparedLoad.named("1000x16"))
        #expect(load.connectionCount == 1000)
        #expect(load.payloadCount == 16)
        #expect(load.shape == .closed)
        #expect(ComparedLoad.named("1x1048576")?.title == "one busy connection, messages of 1048576 bytes")
        #expect(ComparedLoad.named("many") == .many)
    }

    @Test(arguments: [
        "", "x", "10x", "x16", "0x16", "10001x16", "10x0", "10x1048577", "1x2x3", "1.5x16", "9e9x1", "allx",
    ])
    func anInvalidLoadHasNoName(_ name: String) { #expect(ComparedLoad.named(name) == nil) }

    @Test func aLoadThatAServerCannotHandleIsOmitted() throws {
        // A sequential server serves one client at a time, so it does not greet a second connection.
        let report = try compare(["sequential", "epoll"], loads: [.one, .stalled], blocks: 2)
        #expect(report.loads.map(\.plan.name) == ["one"])
        #expect(report.warnings.contains { $0.contains("'stalled'") && $0.contains("not greeted") })
    }

    @Test func aServerByAnotherAuthorCanBeCompared() throws {
        let command = "\(ModelBenchmarkTests.program) serve --model poll --port {port} --log-level critical"
        let report = try compare(["epoll", "theirs=\(command)"], blocks: 2)
        #expect(report.loads[0].variants.map(\.name).contains("theirs"))
        #expect(report.loads[0].variants.allSatisfy { $0.faults.isClean })
    }

    @Test func aRunningServerCanBeCompared() throws {
        let server = try ServerProcess(ServerSpecification(parsing: "libuv"), program: ModelBenchmarkTests.program)
        let report = try compare(["epoll", "theirs=\(server.address)"], blocks: 2)
        #expect(report.loads[0].variants[1].cost == nil)
        #expect(report.loads[0].variants[1].latency(.wire)?.count ?? 0 > 0)
        try server.stop(timeout: .seconds(10))
    }

    @Test func aCommandThatExitsIsReported() throws {
        let error = #expect(throws: ComparisonError.self) { try compare(["epoll", "none=false {port}"]) }
        #expect(error?.description.contains("none exited immediately") == true, "\(error?.description ?? "")")
    }

    @Test func aServerThatBusyWaitsIsRejected() throws {
        // The command starts a server, and also a shell loop that keeps a processor busy.
        let serve = "\(ModelBenchmarkTests.program) serve --model epoll --port {port} >/dev/null"
        let command = "sh -c '\(serve) & while :; do :; done'"
        let error = #expect(throws: ComparisonError.self) { try compare(["epoll", "spinning=\(command)"]) }
        #expect(error?.isUnfit == true)
        #expect(error?.description.contains("without any request") == true, "\(error?.description ?? "")")
    }

    @Test func aStopReportsWhatWasMeasured() throws {
        var plan = ComparisonPlan(servers: try ["epoll", "libuv"].map { try ServerSpecification(parsing: $0) })
        plan.blocks = 30
        plan.requests = 30
        (plan.uvserver, plan.uvbench) = (ModelBenchmarkTests.program, ModelBenchmarkTests.benchProgram)
        var comparison = ServerComparison(plan)
        var blocks = 0
        comparison.progress = { blocks = $0.done }
        comparison.isStopped = { blocks >= 3 }
        let report = try comparison.run()
        #expect(report.loads[0].plan.circumstances.blocks == 3)
        #expect(report.warnings.contains { $0.hasPrefix("interrupted") })
    }
}
