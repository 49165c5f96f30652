import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests of output that cannot be written, and of control characters in error lines.
extension ProgramTests {
    /// Runs a script, in which `$0` is the program, and returns the exit code and the text on standard error.
    private func runScript(_ script: String) throws -> (status: Int32, errors: String) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", script, Self.program.path]
        process.standardError = errors
        try process.run()
        let bytes = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        return (process.terminationStatus, try #require(String(validating: bytes, as: UTF8.self)))
    }

    @Test(arguments: [
        "--help", "--version", "help serve", "serve --help", "client --help", "health --help", "models --help",
        "models", "--generate-completion-script bash", "serve --version",
    ])
    func aFullDiskIsReported(_ arguments: String) throws {
        let finished = try runScript("exec \"$0\" \(arguments) >/dev/full")
        #expect(finished.status == 1)
        #expect(finished.errors == "uvserver: cannot write to standard output: No space left on device\n")
    }

    @Test func theClientReportsAFullDisk() throws {
        let (process, output, errors, address) = try serve()
        for option in ["", "--timeline"] {
            let finished = try runScript(
                "exec \"$0\" client -n 2 --pause 0 \(option) 127.0.0.1 \(address.port) >/dev/full")
            #expect(finished.status == 1)
            #expect(finished.errors == "uvserver: cannot write to standard output: No space left on device\n")
        }
        // This command writes nothing to standard output.
        let health = try runScript("exec \"$0\" health \(address) >/dev/full")
        #expect(health.status == 0 && health.errors.isEmpty)
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    /// A full disk does not stop a server, but the log reports it.
    @Test(arguments: ["libuv", "epoll", "threads"]) func aServerServesDespiteAFullDisk(_ model: String) throws {
        let port = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: true).localAddress.port
        var server = try ChildProcess(
            "/bin/bash",
            ["-c", "exec \"$0\" serve --model \(model) --port \(port) 2>&1 >/dev/full", Self.program.path])
        let line = try server.readLine(timeout: .seconds(20))
        #expect(line?.contains("cannot write to standard output: No space left on device") == true)
        #expect(line?.contains("line=\"listening on 127.0.0.1:\(port) (\(model))\"") == true)
        #expect(try run("health", "127.0.0.1:\(port)").status == 0)
        server.terminate()
        #expect(try server.wait(timeout: .seconds(20)) == .code(0))
    }

    /// A log on a full disk stops nothing either.
    @Test func aServerServesWithAFullLog() throws {
        let (process, output, errors) = try start(
            ["-c", "exec \"$0\" serve --port 0 --log-level trace 2>/dev/full", Self.program.path],
            program: URL(filePath: "/bin/bash"))
        #expect(try run("health", "\(listeningAddress(output))").status == 0)
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    private func start(_ arguments: [String], program: URL) throws -> (Process, Pipe, Pipe) {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = program
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        return (process, output, errors)
    }

    /// Values with a line break, an escape sequence, DEL, invalid UTF-8, and a control character of ISO 6429.
    static let hostileValues = [
        #"$'1\n2'"#, #"$'\nuvserver: all is well'"#, #"$'\e[2J\x07'"#, #"$'a\x7fb'"#, #"$'\xff\xfe\x80'"#,
        #"$'\xc2\x9b31m'"#, #"$'\r\n\r'"#, #"$'\xe2\x80\xa8'"#,
    ]

    @Test(
        arguments: [
            "$0 serve --model VALUE", "$0 serve --model=VALUE", "$0 serve --port VALUE", "$0 serve --port=VALUE",
            "$0 serve --host VALUE", "$0 serve --log-level VALUE", "$0 serve --drain-timeout=VALUE",
            "$0 serve --proxy-protocol VALUE", "$0 serve --admin VALUE", "$0 serve VALUE", "$0 VALUE",
            "$0 client VALUE 1", "$0 client --pause VALUE", "$0 health VALUE",
            "UVSERVER_MODEL=VALUE exec $0 serve", "UVSERVER_PORT=VALUE exec $0 serve",
            "UVSERVER_LOG_FORMAT=VALUE exec $0 serve", "UVSERVER_HOST=VALUE exec $0 health",
            "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=VALUE exec $0 serve 3</dev/null",
            "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=VALUE exec $0 serve 3</dev/null",
            "LISTEN_PID=$$ LISTEN_FDS=VALUE exec $0 serve 3</dev/null",
        ], hostileValues)
    func controlCharactersAreEscaped(_ command: String, _ value: String) throws {
        let finished = try runScript(command.replacing("VALUE", with: value))
        #expect(finished.status == 1 || finished.status == 64)
        #expect(finished.errors.hasPrefix("uvserver: ") && finished.errors.hasSuffix("\n"))
        let controls = finished.errors.dropLast().unicodeScalars.filter {
            $0.properties.generalCategory == .control || $0 == "\u{2028}"
        }
        #expect(controls.isEmpty, "\(finished.errors.debugDescription)")
        if value.contains("1\\n2") { #expect(finished.errors.contains("1\\n2"), "\(finished.errors)") }
        if value.contains("\\e") { #expect(finished.errors.contains("\\u{1b}[2J\\u{7}"), "\(finished.errors)") }
    }
}
