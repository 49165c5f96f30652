import Glibc
import LibUV
import Testing

/// Tests of memory that returns to the system.
@Suite(.serialized, .timeLimit(.minutes(1))) struct BufferTrimTests {
    /// Small allocations between the buffers keep the C library from returning their memory by itself.
    @Test(
        .enabled(if: !isSanitized, "a sanitizer does not return freed memory"),
        arguments: [(1000, 150_000), (4096, 20_000), (60_000, 2500)])
    func memoryOfManyBuffersReturnsToTheSystem(_ size: Int, _ count: Int) async {
        // Runs in its own process, because other tests change the resident memory, too.
        await #expect(processExitsWith: .success) { [size, count] in
            try BufferTrimTests.checkMemory(ofBuffersOf: size, count)
        }
    }

    private static func checkMemory(ofBuffersOf size: Int, _ count: Int) throws {
        try withLoop { loop in
            var between = UVBufferVector()
            func resident() throws -> Int { try UVCurrentProcess.residentByteCount }
            let before = try resident()
            var most = 0
            do {
                var buffers = UVBufferVector()
                for index in 0..<count {
                    buffers.append(loop.buffer(1, count: size))
                    if index % (1_000_000 / size) == 0 { between.append(loop.buffer(2, count: 1)) }
                }
                most = try resident() - before
                #expect(most >= 64 << 20)
                #expect(buffers.byteCount == size * count)
            }
            let kept = try resident() - before
            #expect(kept <= most / 2, "\(kept) of \(most) bytes are still resident")
            #expect(between.byteCount > 0)
        }
    }
}
