import CDispatch
import Foundation
import LibUV
import Testing

/// Tests of what a signal does when its last watcher has stopped.
///
/// The disposition of a signal belongs to the process, so each test runs in a process of its own.
@Suite(.timeLimit(.minutes(1))) struct SignalDispositionTests {
    /// After a program has watched SIGPIPE for a while, a write to a peer that is gone throws.
    ///
    /// Promise of the article "Errors".
    @Test func aWatcherOfBrokenPipesLeavesTheSignalIgnored() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            for end in Ending.allCases {
                try end.watch(SIGPIPE, on: loop)
                try writeToNobody(on: loop)
            }
            try loop.close()
        }
    }

    /// A loop that is made while the program watches SIGPIPE ignores the signal as soon as the watcher stops.
    @Test func aLoopMadeDuringTheWatchIgnoresBrokenPipes() async {
        await #expect(processExitsWith: .success) {
            var configuration = UVLoop.Configuration()
            configuration.ignoresSIGPIPE = false
            let first = try UVLoop(configuration: configuration)
            let watcher = try UVSignal(on: first)
            try watcher.start(SIGPIPE) { _, _ in }
            let second = try UVLoop()
            watcher.close()
            try writeToNobody(on: second)
            try second.close()
            try first.close()
        }
    }

    /// A loop that is made later ignores the signal, even if an earlier loop has done so before.
    ///
    /// Promise of the article "Coming from libuv in C".
    @Test func eachLoopIgnoresBrokenPipes() async {
        await #expect(processExitsWith: .success) {
            let first = try UVLoop()
            signal(SIGPIPE, SIG_DFL)
            let second = try UVLoop()
            try writeToNobody(on: second)
            try second.close()
            try first.close()
        }
    }

    /// A signal that is ignored, for example SIGHUP under `nohup`, is ignored again after its last watcher.
    ///
    /// Promise of the article "Errors".
    @Test func anIgnoredSignalIsIgnoredAgain() async {
        await #expect(processExitsWith: .success) {
            signal(SIGHUP, SIG_IGN)
            let (loop, other) = (try UVLoop(), try UVLoop())
            for end in Ending.allCases {
                let last = try UVSignal(on: other)
                var count = 0
                try last.start(SIGHUP) { _, _ in count += 1 }
                try end.watch(SIGHUP, on: loop)
                // There is still a watcher, on another loop. It has also been notified of the signal that `watch` sent. No
                // signal may be pending when the last watcher ends.
                kill(getpid(), SIGHUP)
                while count < 2 { try other.run(.once) }
                last.close()
                kill(getpid(), SIGHUP)
                #expect(isIgnored(SIGHUP))
            }
            try other.close()
            try loop.close()
        }
    }

    /// A handler of the program gets its signal again after the last watcher.
    ///
    /// Promise of the article "Errors".
    @Test func aHandlerOfTheProgramIsRestored() async {
        await #expect(processExitsWith: .exitCode(7)) {
            signal(SIGUSR1) { _ in _exit(7) }
            let loop = try UVLoop()
            try Ending.stop.watch(SIGUSR1, on: loop)
            kill(getpid(), SIGUSR1)
            for _ in 0..<1000 { usleep(1000) }
        }
    }

    /// A watcher that changes its signal restores the disposition of the first one, and a start that fails changes
    /// nothing.
    @Test func aWatcherMayChangeItsSignal() async {
        await #expect(processExitsWith: .success) {
            signal(SIGHUP, SIG_IGN)
            let loop = try UVLoop()
            let watcher = try UVSignal(on: loop)
            try watcher.start(SIGHUP) { _, _ in }
            try watcher.start(SIGHUP) { _, _ in }
            try watcher.start(SIGUSR1) { _, _ in }
            #expect(isIgnored(SIGHUP))
            #expect(throws: UVError(.invalidArgument, operation: "uv_signal_start")) {
                try watcher.start(SIGKILL) { _, _ in }
            }
            watcher.close()
            try loop.close()
            #expect(isIgnored(SIGHUP))
        }
    }

    /// While only one-shot watchers exist, a second signal does not kill the process before the closure has run.
    @Test func aSecondSignalDuringAOneShotIsHarmless() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            signal(SIGHUP, SIG_IGN)
            let watcher = try UVSignal(on: loop)
            var count = 0
            try watcher.startOnce(SIGHUP) { _, _ in count += 1 }
            kill(getpid(), SIGHUP)
            kill(getpid(), SIGHUP)
            while count == 0 { try loop.run(.once) }
            kill(getpid(), SIGHUP)
            for _ in 0..<3 { try loop.run(.noWait) }
            #expect(count == 1)
            #expect(!watcher.isActive)
            try loop.close()
        }
    }
}

/// A way in which a watcher ends.
private enum Ending: CaseIterable {
    case stop, close, closeOfTheLoop, oneShot

    /// Watches a signal until the watcher has ended.
    func watch(_ number: Int32, on loop: UVLoop) throws {
        let own = self == .closeOfTheLoop ? try UVLoop() : loop
        let watcher = try UVSignal(on: own)
        var count = 0
        if self == .oneShot {
            try watcher.startOnce(number) { _, _ in count += 1 }
        } else {
            try watcher.start(number) { _, _ in count += 1 }
        }
        kill(getpid(), number)
        while count == 0 { try own.run(.once) }
        switch self {
        case .stop: watcher.stop()
        case .close: watcher.close()
        case .closeOfTheLoop: try own.close()
        case .oneShot: break
        }
    }
}

private func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard unsafe sigaction(number, nil, &action) == 0 else { return false }
    let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    let ignored = unsafe unsafeBitCast(SIG_IGN, to: Int.self)
    return handler == ignored
}

/// Writes to a connection that the peer has reset, which kills the process if SIGPIPE is not ignored.
private func writeToNobody(on loop: UVLoop) throws {
    let connection = try Connection.make(on: loop)
    try connection.server.closeReset()
    while !connection.server.isClosed { try loop.run(.once) }
    for _ in 0..<3 { _ = try? connection.client.tryWrite([1].span) }
    connection.client.close()
    while !connection.client.isClosed { try loop.run(.once) }
}
