import Foundation
import Testing

/// One of the programs `uvbench` and `uvserver`, in the directory of the tests' own executable.
struct Program {
    static let uvbench = Program(name: "uvbench")
    static let uvserver = Program(name: "uvserver")

    /// The output and the exit code of a program.
    struct Finished {
        let status: Int32
        let output: String
        let errors: String

        /// Expects the exit code, no output, and one line of errors.
        func expectFailure(_ status: Int32, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(self.status == status, "\(errors)", sourceLocation: sourceLocation)
            #expect(output.isEmpty, sourceLocation: sourceLocation)
            #expect(errors.hasPrefix("uvbench: "), sourceLocation: sourceLocation)
            #expect(errors.split(separator: "\n").count == 1, "\(errors)", sourceLocation: sourceLocation)
        }
    }

    /// Copies a program, and makes it executable.
    ///
    /// Another process makes the copy. If this process wrote the file, a child that another test starts meanwhile would
    /// inherit the descriptor, and the copy could not be executed yet (`ETXTBSY`).
    static func install(_ file: URL, at copy: URL) throws {
        let finished = try Program(file: URL(fileURLWithPath: "/usr/bin/install"))
            .run(["-m", "755", file.path, copy.path])
        try #require(finished.status == 0, "\(finished.errors)")
    }

    /// A running program.
    struct Running {
        let process: Process
        let output: Pipe
        let errors: Pipe

        /// Waits until the program has ended, and returns its output.
        func finish() throws -> Finished {
            let outputBytes = try output.fileHandleForReading.readToEnd() ?? Data()
            let errorBytes = try errors.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return Finished(
                status: process.terminationStatus, output: String(decoding: outputBytes, as: UTF8.self),
                errors: String(decoding: errorBytes, as: UTF8.self))
        }

        /// Reads the next line from one of the program's pipes.
        func readLine(from pipe: Pipe) throws -> String {
            var line = ""
            while !line.hasSuffix("\n"), let byte = try pipe.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
                line += String(decoding: byte, as: UTF8.self)
            }
            return line
        }
    }

    let file: URL

    init(file: URL) { self.file = file }

    private init(name: String) {
        file = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: name)
    }

    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Running {
        let process = Process()
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = file
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        return Running(process: process, output: output, errors: errors)
    }

    func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Finished {
        try start(arguments, environment: environment).finish()
    }
}
