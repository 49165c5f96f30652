import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests that a step of the wall clock affects no timeout.
extension ProgramTests {
    /// A library whose wall clock is an hour fast.
    ///
    /// For the program, the kernel's clock is then an hour slow, as after a step back by an hour.
    private static let fastClock = """
        #include <sys/syscall.h>
        #include <time.h>
        #include <unistd.h>
        int clock_gettime(clockid_t clock, struct timespec *time) {
            long result = syscall(SYS_clock_gettime, clock, time);
            if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += 3600;
            return result < 0 ? -1 : 0;
        }
        """

    static let hasCompiler = succeeds(["cc", "--version"])

    @Test(.enabled(if: hasCompiler, "no C compiler is installed"), arguments: models)
    func aStepOfTheWallClockDelaysNoTimeout(_ model: String) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (source, library) = (directory.appending(path: "clock.c"), directory.appending(path: "clock.so"))
        try Data(Self.fastClock.utf8).write(to: source)
        try #require(Self.succeeds(["cc", "-shared", "-fPIC", "-o", library.path, source.path]))
        let (process, output, errors, address) = try serve(
            through: ["env"], ["--model", model, "--idle-timeout", "200ms"],
            environment: ["LD_PRELOAD": library.path])
        let client = try connectPatiently(to: address)
        #expect(try receive(2, from: client) == "*")
        kill(process.processIdentifier, SIGTERM)
        let finished = try finish(process, output, errors)
        #expect(finished.status == 0)
        #expect(finished.errors.contains("limit=idle_timeout"), "\(finished.errors)")
    }
}
