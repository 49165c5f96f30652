import Foundation
import Glibc
import LibUV
import Testing

/// Tests of the `operation` of errors, which is the name of a function.
@Suite(.timeLimit(.minutes(1))) struct OperationNameTests {
    /// The functions that are newer than the oldest supported libuv.
    private static let newer: Set = ["uv_getrusage_thread", "uv_udp_open_ex", "uv_udp_try_send2"]

    /// Each name of a libuv function in the sources is one that libuv exports.
    ///
    /// Promise of the article "Coming from libuv in C".
    @Test func eachNameOfALibuvFunctionExists() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let sources = tests.appending(path: "../../../Sources/Library/LibUV").standardizedFileURL
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var names: Set<String> = []
        for case let file as URL in files where file.pathExtension == "swift" {
            for match in try String(contentsOf: file, encoding: .utf8).matches(of: /"(uv_[a-z0-9_]+)"/) {
                names.insert(String(match.1))
            }
        }
        #expect(names.count > 80)
        let missing = names.subtracting(OperationNameTests.newer).filter { unsafe dlsym(nil, $0) == nil }
        #expect(missing.isEmpty)
    }

    /// Promise of the article "Coming from libuv in C".
    @Test func aFailedReadNamesItsFunction() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            await #expect(throws: UVError(.timedOut, operation: "uv_read_start")) {
                _ = try await server.read(within: .milliseconds(1))
            }
            await server.close()
            await #expect(throws: UVError(.cancelled, operation: "uv_close")) { _ = try await server.read() }
            await client.close()
        }
    }

    @Test func aCallOfABusyReaderNamesTheCall() throws {
        try withTask { loop in
            let (client, server) = try await UVConnection.pair(on: loop)
            let reader = UVBufferedReader(server)
            let first = Task(executorPreference: loop) { try await reader.line() }
            while server.loop.statistics.readByteCount == 0 {
                try await client.write("l")
                try await loop.sleep(for: .milliseconds(1))
            }
            await #expect(throws: UVError(.busy, operation: "UVBufferedReader.line")) { try await reader.line() }
            await #expect(throws: UVError(.busy, operation: "UVBufferedReader.withLine")) {
                try await reader.withLine { _ in }
            }
            await client.close()
            _ = try await first.value
            await server.close()
        }
    }
}
