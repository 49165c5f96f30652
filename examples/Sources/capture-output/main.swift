import LibUV

// capture-output COMMAND runs a shell command for at most five seconds, and prints what it wrote.
let command = CommandLine.arguments.dropFirst().first ?? "echo out; echo err >&2; exit 3"

try UVLoop.run { loop in
    var options = UVProcess.Options(program: "/bin/sh", arguments: ["-c", command])
    options.isDetached = true  // The shell gets a process group, so that a timeout also ends the shell's children.
    do {
        let output = try await loop.output(of: options, input: Array("from above\n".utf8), timeout: .seconds(5))
        print("\(output.termination)")
        print("standard output: \(String(decoding: output.standardOutput, as: UTF8.self))", terminator: "")
        print("standard error: \(String(decoding: output.standardError, as: UTF8.self))", terminator: "")
    } catch  where error.code == .timedOut {
        print("killed after five seconds")
    }
}
