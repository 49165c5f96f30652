import Glibc
import LibUV

// supervisor PROGRAM [ARGUMENT...] runs a program. When the program fails, the supervisor restarts it, each time after
// a longer delay. The supervisor exits when the program succeeds. On SIGTERM, the supervisor forwards the signal to the
// program, and exits.
final class Supervisor {
    private let loop: UVLoop
    private let options: UVProcess.Options
    private let pause: UVTimer
    private let signal: UVSignal
    private var child: UVProcess?
    private var delay = Duration.milliseconds(50)
    private let longestDelay = Duration.seconds(10)

    init(_ program: String, _ arguments: [String], on loop: UVLoop) throws(UVError) {
        self.loop = loop
        options = UVProcess.Options(
            program: program, arguments: arguments,
            descriptors: [.ignored, .inherited(STDOUT_FILENO), .inherited(STDERR_FILENO)])
        pause = try UVTimer(on: loop)
        signal = try UVSignal(on: loop)
    }

    func start() throws(UVError) {
        try signal.start(SIGTERM) { [self] _, _ in stop() }
        // Without `unref`, the signal watcher would keep the loop running after the program has succeeded.
        signal.unref()
        try startChild()
    }

    private func startChild() throws(UVError) {
        child = try UVProcess(on: loop, options: options) { [self] process, termination in
            process.close()
            child = nil
            ended(termination)
        }
    }

    private func ended(_ termination: UVProcess.Termination) {
        guard termination != .exited(0), !signal.isClosing else { return print("ended: \(termination)") }
        print("ended: \(termination); again in \(delay)")
        do {
            try pause.start(after: delay) { [self] _ in
                do { try startChild() } catch { print("cannot restart the program: \(error)") }
            }
        } catch { print("cannot start the timer: \(error)") }
        delay = min(delay * 2, longestDelay)
    }

    private func stop() {
        signal.close()
        pause.close()
        try? child?.kill(SIGTERM)
    }
}

let command = CommandLine.arguments.dropFirst()
guard let program = command.first else { fatalError("usage: supervisor PROGRAM [ARGUMENT...]") }
try UVLoop.with { loop throws(UVError) in
    try Supervisor(program, Array(command.dropFirst()), on: loop).start()
    try loop.run()
}
