import Clients
import Foundation
import Servers
import SocketAddresses
import SystemCalls
import Testing

@testable import Comparison

/// The parts of the programme; the whole is run by the program's own tests.
@Suite(.serialized, .timeLimit(.minutes(3))) struct JudgeTests {
    /// The two programs, in the directory of the tests' own executable.
    static let program = directory.appending(path: "uvserver").path
    static let benchProgram = directory.appending(path: "uvbench").path
    private static let directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    private func judge(_ names: [String]) -> Judge {
        Judge(models: ServerModels.all.filter { names.contains($0.name) }, program: Self.program)
    }

    @Test func systemCallsOfAServerAreCounted() throws {
        let server = try ServerProcess(program: Self.program, model: "epoll")
        var clients = try ClosedLoopClients()
        try clients.connect(upTo: 1, to: server.address)
        try clients.awaitGreetings(patience: .seconds(20))
        do {
            let count = try SystemCallCounter.count(of: server.processIdentifier) { () throws(SystemCallError) in
                _ = try clients.exchange(active: 1, answers: 100, time: .seconds(20))
            }
            // A wait, a receive and a send for each; the first wait has begun before.
            #expect((298...302).contains(count), "\(count)")
        } catch {
            // A machine that lets no process be traced.
            #expect(error.code == Errno.notPermitted)
        }
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
        judge.isStopped = { true }
        let error = #expect(throws: ComparisonError.self) { try judge.run(sources: nil, descriptorLimit: 20_000) }
        #expect(error?.description.contains("stopped") == true)
        #expect(steps == 0)
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
