import Foundation
import Servers
import SocketAddresses
import SystemCalls
import Testing

@testable import Comparison

/// The programme, short and with few models, against the real program.
@Suite(.serialized, .timeLimit(.minutes(3))) struct JudgeTests {
    /// Beside the tests' own executable.
    static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "uvserver").path

    private func judge(_ names: [String], rounds: Int = 1) -> Judge {
        var judge = Judge(models: ServerModels.all.filter { names.contains($0.name) }, program: Self.program)
        judge.rounds = rounds
        judge.time = .milliseconds(20)
        return judge
    }

    private func descriptorLimit() throws -> Int {
        try DescriptorLimit.set(soft: .max)
        return try DescriptorLimit.current().soft
    }

    @Test func theFiguresSayWhatTheModelsAre() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources").path
        var judge = judge(["sequential", "threads", "thread-pool", "select", "libuv"], rounds: 2)
        var steps: [String] = []
        judge.progress = { steps.append($0.name) }
        let figures = try judge.run(sources: sources, descriptorLimit: try descriptorLimit())
        let named = Dictionary(uniqueKeysWithValues: figures.map { ($0.model, $0) })
        #expect(figures.map(\.model) == judge.models.map(\.name))
        // Two for each model, and a round each of every load.
        #expect(steps.count == 2 * 5 + 4 * 2)
        let (sequential, threads, pool, select, libuv) = (
            try #require(named["sequential"]), try #require(named["threads"]), try #require(named["thread-pool"]),
            try #require(named["select"]), try #require(named["libuv"])
        )
        #expect(sequential.servedAtOnce == 1)
        #expect(threads.servedAtOnce == 1100)
        #expect(pool.servedAtOnce == 32)
        #expect((900..<1024).contains(select.servedAtOnce))
        #expect(libuv.servedAtOnce == 1100)
        #expect(sequential.servedBesideStall == 0 && sequential.servedWithoutStall == 1)
        for other in [threads, pool, select, libuv] { #expect(other.servedBesideStall == 10) }
        #expect(threads.threads == (1, 1001))
        #expect(pool.threads == (33, 33))
        #expect(select.threads == (1, 1))
        for figures in figures {
            #expect(Set(figures.speeds.keys) == Set(Judge.loads))
            for speed in figures.speeds.values { #expect(speed.rates.count == 2 && speed.rates.allSatisfy { $0 > 0 }) }
            #expect(figures.ownSources != nil && figures.sharedSources != nil)
        }
        #expect(libuv.speeds[.connections]?.rateRatios == [1, 1])
        #expect(Ranking.scalability(of: figures).places.last?.models == ["sequential"])
        #expect(Ranking.ease(of: figures).places.first?.models == ["sequential", "threads"])
    }

    @Test func systemCallsAreCounted() throws {
        var figures = ModelFigures(model: "epoll")
        try judge(["epoll"]).count(&figures)
        // A wait, a receive and a send; nothing where the machine lets no process be traced.
        if let calls = figures.systemCallsPerMessage { #expect((2.9...3.1).contains(calls)) }
    }

    @Test func withFewDescriptorsThereAreMoreHeatsWithTheReferenceInEach() {
        let judge = judge(["threads", "poll", "epoll", "libuv", "libuv-eager"])
        #expect(judge.reference == "libuv")
        #expect(judge.heats(descriptorLimit: 20_000) == [["libuv", "threads", "poll", "epoll", "libuv-eager"]])
        #expect(
            judge.heats(descriptorLimit: 3500) == [["libuv", "threads", "poll"], ["libuv", "epoll", "libuv-eager"]])
        #expect(judge.heats(descriptorLimit: 10).map(\.count) == [2, 2, 2, 2])
        #expect(self.judge(["libuv"]).heats(descriptorLimit: 20_000) == [["libuv"]])
        // Without libuv the first is the reference.
        #expect(self.judge(["poll", "epoll"]).heats(descriptorLimit: 20_000) == [["poll", "epoll"]])
    }

    @Test func everyModelIsFirstInSomeRound() {
        #expect(Judge.order(4, in: 0) == [0, 1, 2, 3])
        #expect(Judge.order(4, in: 1) == [0, 3, 2, 1])
        #expect(Judge.order(4, in: 2) == [2, 3, 0, 1])
        #expect(Set((0..<12).map { Judge.order(3, in: $0)[0] }) == [0, 1, 2])
    }

    @Test func aStopEndsItBeforeTheNextStep() {
        var judge = judge(["libuv"])
        var steps = 0
        judge.progress = { _ in steps += 1 }
        judge.isStopped = { steps >= 1 }
        let error = #expect(throws: ComparisonError.self) { try judge.run(sources: nil, descriptorLimit: 20_000) }
        #expect(error?.description.contains("stopped") == true)
        #expect(steps == 1)
    }

    @Test func aProgramThatIsNoneIsNamed() {
        let judge = Judge(models: ServerModels.all, program: "/nowhere/uvserver")
        let error = #expect(throws: ComparisonError.self) { try judge.run(sources: nil, descriptorLimit: 20_000) }
        #expect(error?.description.contains("/nowhere/uvserver") == true)
    }

    @Test func aProgramThatSaysSomethingElseIsNamed() {
        let error = #expect(throws: ComparisonError.self) {
            _ = try ServerProcess(program: "/bin/echo", model: "libuv").address
        }
        #expect(error?.description.contains("said 'serve --model libuv") == true)
    }

    @Test func aServerProcessServesAndStops() throws {
        var server = try ServerProcess(program: Self.program, model: "epoll", options: ["--max-connections", "7"])
        #expect(server.address.port != 0)
        #expect(try StreamSocket.connect(to: server.address, timeout: .seconds(5)).rawValue > 0)
        try server.stop()
        #expect(throws: SystemCallError.self) {
            _ = try StreamSocket.connect(to: server.address, timeout: .seconds(5)).rawValue
        }
    }
}
