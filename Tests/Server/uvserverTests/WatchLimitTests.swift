import Foundation
import Servers
import SocketAddresses
import SystemCalls
import Testing

/// Tests of the libuv models when the kernel cannot watch another descriptor (`fs.epoll.max_user_watches`).
extension ProgramTests {
    /// A library that limits the number of descriptors in each epoll instance, as the kernel limits those of a user.
    ///
    /// libuv aborts the process if the call that adds a descriptor fails.
    private static let limitedWatches = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <stdlib.h>
        #include <sys/epoll.h>
        static int count[1024];
        int epoll_ctl(int poller, int operation, int descriptor, struct epoll_event *event) {
            int (*next)(int, int, int, struct epoll_event *) =
                (int (*)(int, int, int, struct epoll_event *))dlsym(RTLD_NEXT, "epoll_ctl");
            int status = next(poller, operation, descriptor, event);
            if (status < 0) return status;
            if (operation == EPOLL_CTL_DEL) count[poller]--;
            if (operation == EPOLL_CTL_ADD && ++count[poller] > atoi(getenv("WATCH_LIMIT"))) {
                next(poller, EPOLL_CTL_DEL, descriptor, event);
                count[poller]--;
                errno = WATCH_ERROR;
                return -1;
            }
            return 0;
        }
        """

    /// The models that use libuv.
    private static let loopModels = ServerModels.all.filter { [.loop, .loops].contains($0.family) }.map { $0.name }

    private static let cCompiler = URL(fileURLWithPath: "/usr/bin/cc")

    /// Builds the library, passes its path to `body`, and removes it.
    private func withLimitedWatches(failingWith error: String, _ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (source, library) = (directory.appending(path: "watches.c"), directory.appending(path: "watches.so"))
        try Data(Self.limitedWatches.utf8).write(to: source)
        let compiler = try Process.run(
            Self.cCompiler,
            arguments: ["-shared", "-fPIC", "-DWATCH_ERROR=\(error)", "-o", library.path, source.path, "-ldl"])
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        try body(library.path)
    }

    /// Returns the next byte that a client receives, or `nil` if the server has closed the connection.
    private func nextByte(_ client: borrowing StreamSocket) throws -> UInt8? {
        try client.setReceiveTimeout(.seconds(20))
        var buffer = ReusableBuffer(capacity: 1)
        let result = try? buffer.fill { output throws(SystemCallError) in try client.receive(into: &output) }
        return result == .bytes(1) ? buffer.withBytes { $0[0] } : nil
    }

    /// Sends a message, and returns whether the server replies to it.
    private func isServed(_ client: borrowing StreamSocket) throws -> Bool {
        _ = try? client.sendAll(Array("^a$".utf8).span)
        return try nextByte(client) == 0x62
    }

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/cc"), "no C compiler is installed"),
        arguments: loopModels,
        ["ENOSPC", "ENOMEM"])
    func aClientThatCannotBeWatchedIsRejected(_ model: String, _ error: String) throws {
        try withLimitedWatches(failingWith: error) { library in
            let (process, output, errors) = try start(
                ["serve", "--port", "0", "--model", model],
                environment: ["LD_PRELOAD": library, "WATCH_LIMIT": "12"])
            let address = try listeningAddress(output)
            var served: [Int32] = []
            var rejectedCount = 0
            for _ in 0..<32 {
                let client = try StreamSocket.connect(to: address, timeout: .seconds(20))
                if try nextByte(client) == 0x2A, try isServed(client) {
                    served.append(client.release())
                } else {
                    rejectedCount += 1
                }
            }
            #expect(!served.isEmpty && rejectedCount > 0, "\(served.count) served, \(rejectedCount) rejected")
            // The rejected clients do not affect the others.
            for descriptor in served { #expect(try isServed(StreamSocket(adopting: descriptor))) }
            // The clients above have closed, so there is room for another.
            let deadline = ContinuousClock.now + .seconds(20)
            var isServed = false
            while !isServed {
                let client = try StreamSocket.connect(to: address, timeout: .seconds(20))
                isServed = try nextByte(client) == 0x2A && self.isServed(client)
                try #require(ContinuousClock.now < deadline)
            }
            kill(process.processIdentifier, SIGTERM)
            let finished = try finish(process, output, errors)
            #expect(finished.status == 0)
            #expect(finished.errors.contains("epoll_ctl: \(error)"), "\(finished.errors)")
        }
    }
}
