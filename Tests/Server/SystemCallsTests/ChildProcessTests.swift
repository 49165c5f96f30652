import SystemCalls
import Testing

/// Tests of the environment that a child process inherits.
@Suite(.timeLimit(.minutes(1))) struct ChildProcessTests {
    @Test func theEnvironmentIsPassedOn() throws {
        var child = try ChildProcess("/bin/sh", ["-c", "echo \"<$HOME>\""])
        let line = try child.readLine(timeout: .seconds(20))
        #expect(line != nil && line != "<>")
    }

    @Test func variablesWithAPrefixAreLeftOut() throws {
        var child = try ChildProcess("/bin/sh", ["-c", "echo \"<$HOME>\" \"<$PATH>\""], withoutVariables: "HOM")
        let words = try child.readLine(timeout: .seconds(20))?.split(separator: " ")
        #expect(words?.first == "<>")
        #expect(words?.last != "<>")
    }
}
