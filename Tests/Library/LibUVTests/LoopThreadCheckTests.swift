import Glibc
import LibUV
import Testing

/// Tests of the members of a loop that belong to its thread.
@Suite(.timeLimit(.minutes(5))) struct LoopThreadCheckTests {
    /// A synchronous member of a loop.
    enum Member: String, CaseIterable, Codable {
        case isAlive, now, updateTime, waitingTime, backendDescriptor, blockSignal, measureIdleTime, walk, statistics
        case listHandles

        func use(_ loop: UVLoop) throws {
            switch self {
            case .isAlive: _ = loop.isAlive
            case .now: _ = loop.now
            case .updateTime: loop.updateTime()
            case .waitingTime: _ = loop.waitingTime
            case .backendDescriptor: _ = loop.backendDescriptor
            case .blockSignal: try loop.blockSignal(SIGPROF)
            case .measureIdleTime: try loop.measureIdleTime()
            case .walk: loop.walk { _ in }
            case .statistics: _ = loop.statistics
            case .listHandles: _ = loop.listHandles()
            }
        }
    }

    /// The message also appears in release builds.
    ///
    /// Promises of the articles "LibUV" and "What is not guaranteed".
    @Test(arguments: Member.allCases) func anotherThreadEndsTheProcessWithAMessage(_ member: Member) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [member = member as Member] in
            let loop = try UVLoop()
            let threads = LibUVTests.ThreadGroup()
            try threads.start { try? member.use(loop) }
            threads.join()
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains("UVLoop.\(member.rawValue) was used on a thread other than the loop's"))
    }

    /// The loop belongs to the thread that made it, and then to the one that runs it.
    ///
    /// Promises of the articles "Coming from SwiftNIO", "LibUV" and "Threads and executors".
    @Test(arguments: Member.allCases) func theLoopsThreadMayUseAllMembers(_ member: Member) throws {
        let loop = try UVLoop()
        try member.use(loop)
        let threads = LibUVTests.ThreadGroup()
        try threads.start {
            do {
                try loop.execute {
                    do { try member.use(loop) } catch { Issue.record(error) }
                }
                try loop.run()
                try member.use(loop)
                try loop.close()
            } catch { Issue.record(error) }
        }
        threads.join()
    }
}
