import LibUV

// capture-output [COMMAND] runs a shell command for at most five seconds, and prints what the command wrote.
func capture(_ command: String, on loop: UVLoop) async throws {
    // A detached shell has its own process group, so a timeout also ends the shell's children.
    let options = UVProcess.Options(program: "/bin/sh", arguments: ["-c", command], isDetached: true)
    let output = try await loop.output(of: options, input: Array("from above\n".utf8), timeout: .seconds(5))
    print("\(output.termination)")
    print("standard output: \(String(decoding: output.standardOutput, as: UTF8.self))", terminator: "")
    print("standard error: \(String(decoding: output.standardError, as: UTF8.self))", terminator: "")
}

let command = CommandLine.arguments.dropFirst().first ?? "cat; echo err >&2; exit 3"
try UVLoop.run { loop in try await capture(command, on: loop) }
