import LibUV
import Testing

/// Tests of connections whose peers do not read.
@Suite(.timeLimit(.minutes(1))) struct StalledConnectionTests {
    /// The memory of stalled connections returns to the system after they have closed.
    ///
    /// The test measures its process, and therefore has a process of its own.
    ///
    /// Promise of the article "Back-pressure".
    @Test(.enabled(if: !isSanitized, "a sanitizer does not return freed memory"))
    func theMemoryOfStalledConnectionsReturns() async {
        await #expect(processExitsWith: .success) {
            try withTask { loop in
                let limit = 1 << 20
                var pairs: [(UVConnection, UVConnection)] = []
                for _ in 0..<50 { pairs.append(try await UVConnection.pair(on: loop, highWaterMark: limit)) }
                let before = try UVCurrentProcess.residentByteCount
                let writers = pairs.map { pair in
                    Task(executorPreference: loop) {
                        while true { try await pair.0.write([UInt8](repeating: 1, count: 64 << 10)) }
                    }
                }
                while pairs.contains(where: { $0.0.stream.writeQueueSize <= limit }) {
                    try await loop.sleep(for: .milliseconds(1))
                }
                try #require(try UVCurrentProcess.residentByteCount > before + 40 * limit)
                for writer in writers {
                    writer.cancel()
                    _ = await writer.result
                }
                for pair in pairs {
                    await pair.0.close()
                    await pair.1.close()
                }
                // The pool keeps 8 MiB, and memory is returned from 16 MiB on.
                try #require(try UVCurrentProcess.residentByteCount < before + 24 * limit)
            }
        }
    }
}
