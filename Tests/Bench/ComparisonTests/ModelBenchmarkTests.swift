import Foundation
import LoadGenerator
import Servers
import SocketAddresses
import SystemCalls
import Testing

@testable import Comparison

/// Tests of the benchmark's parts; `JudgeCommandTests` tests the whole benchmark.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ModelBenchmarkTests {
    /// The path of `uvserver`, which is in the directory of the tests' own executable.
    static let program = directory.appending(path: "uvserver").path
    static let benchProgram = directory.appending(path: "uvbench").path
    private static let directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    private func benchmark(_ names: [String]) -> ModelBenchmark {
        ModelBenchmark(models: ServerModels.all.filter { names.contains($0.name) }, program: Self.program)
    }

    @Test func systemCallsAreCounted() throws {
        let server = try BenchmarkedServer(program: Self.program, model: "epoll")
        try server.connect(.clients(1))
        #expect(try server.exchange(requestCount: 10) == 10)
        // Each message takes three system calls: a wait, a receive and a send. The count is `nil` if the machine does
        // not permit tracing.
        if let calls = try server.systemCallsPerMessage() { #expect((2.95...3.05).contains(calls), "\(calls)") }
        try server.stop()
    }

    @Test func theNumberOfServedClientsDependsOnTheModel() throws {
        let pool = try BenchmarkedServer(program: Self.program, model: "thread-pool")
        #expect(pool.settledThreadCount() == 33)
        try pool.connect(.clients(10))
        #expect(pool.servedCount == 10)
        try pool.addIdleClients(upTo: 30)
        #expect(pool.servedCount == 30)
        try pool.addIdleClients(upTo: 60)
        #expect(pool.servedCount == 32)
        #expect(try pool.exchange(requestCount: 50) == 50)
        #expect(pool.repliedCount == 10)
        try pool.stop()
    }

    @Test(arguments: [("sequential", 1, 0), ("epoll", 10, 10)])
    func aStalledClientStopsOnlyASequentialServer(_ model: String, _ alone: Int, _ stalled: Int) throws {
        var figures = ModelFigures(model: model)
        var benchmark = benchmark([model])
        benchmark.time = .milliseconds(20)
        try benchmark.measureStall(&figures)
        #expect(figures.servedAlone == alone)
        #expect(figures.servedWithStall == stalled)
        #expect((figures.rateWithStall > 0) == (stalled > 0))
    }

    @Test func aSliceHasARateAndACost() throws {
        let server = try BenchmarkedServer(program: Self.program, model: "poll")
        for load in [BenchmarkLoad.connections, .clients(1), .clients(100)] {
            try server.connect(load)
            let slice = try server.measure(for: .milliseconds(50))
            #expect(slice.rate > 0)
            // The count includes replies during the warm-up and the drain, because the processor time includes them.
            #expect(Double(slice.replyCount) >= slice.rate * 0.05)
        }
        #expect(server.servedCount == 100)
        // Only ten of the 100 clients send requests.
        #expect(server.repliedCount == 10)
        try server.stop()
    }

    @Test func withFewDescriptorsThereAreMoreGroupsWithTheReferenceInEach() {
        let benchmark = benchmark(["threads", "poll", "epoll", "libuv", "libuv-eager"])
        #expect(benchmark.reference == "libuv")
        #expect(benchmark.groups(descriptorLimit: 20_000) == [["libuv", "threads", "poll", "epoll", "libuv-eager"]])
        #expect(
            benchmark.groups(descriptorLimit: 3500) == [
                ["libuv", "threads", "poll"], ["libuv", "epoll", "libuv-eager"],
            ])
        #expect(benchmark.groups(descriptorLimit: 10).map(\.count) == [2, 2, 2, 2])
        #expect(self.benchmark(["libuv"]).groups(descriptorLimit: 20_000) == [["libuv"]])
        // If libuv is not among the models, the first model is the reference.
        #expect(self.benchmark(["poll", "epoll"]).groups(descriptorLimit: 20_000) == [["poll", "epoll"]])
    }

    @Test func everyModelIsFirstInOneRound() {
        #expect(ModelBenchmark.order(4, in: 0) == [0, 1, 2, 3])
        #expect(ModelBenchmark.order(4, in: 1) == [0, 3, 2, 1])
        #expect(ModelBenchmark.order(4, in: 2) == [2, 3, 0, 1])
        #expect(Set((0..<12).map { ModelBenchmark.order(3, in: $0)[0] }) == [0, 1, 2])
    }

    @Test func aStopTakesEffectBeforeTheNextStep() {
        var benchmark = benchmark(["libuv"])
        var steps = 0
        benchmark.progress = { _ in steps += 1 }
        benchmark.isStopped = { true }
        let error = #expect(throws: ComparisonError.self) { try benchmark.run(sources: nil, descriptorLimit: 20_000) }
        #expect(error?.description.contains("stopped") == true)
        #expect(steps == 0)
    }

    @Test func aMissingProgramIsNamed() {
        let benchmark = ModelBenchmark(models: ServerModels.all, program: "/nowhere/uvserver")
        let error = #expect(throws: ComparisonError.self) { try benchmark.run(sources: nil, descriptorLimit: 20_000) }
        #expect(error?.description.contains("/nowhere/uvserver") == true)
    }

    @Test func aProgramThatPrintsSomethingElseIsNamed() {
        let error = #expect(throws: ComparisonError.self) {
            try ServerProcess(ServerSpecification(parsing: "libuv"), program: "/bin/echo")
        }
        #expect(error?.description.contains("printed 'serve --model libuv") == true, "\(error?.description ?? "")")
    }

    @Test func aServerProcessServesAndStops() throws {
        let server = try ServerProcess(ServerSpecification(parsing: "epoll"), program: Self.program)
        #expect(server.address.port != 0)
        #expect(try StreamSocket.connect(to: server.address, timeout: .seconds(5)).rawValue > 0)
        try server.stop(timeout: .seconds(10))
        #expect(throws: SystemCallError.self) {
            _ = try StreamSocket.connect(to: server.address, timeout: .seconds(5)).rawValue
        }
    }
}
