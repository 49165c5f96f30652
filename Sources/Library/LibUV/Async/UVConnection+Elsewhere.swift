internal import CLibUV

// Calls from other executors; see UVLoop+Visit.swift. They are functions of their own so that calls on the loop do not
// pay for their storage.

extension UVConnection {
    @inline(never)
    nonisolated(nonsending) func readElsewhere() async throws(UVError) -> UVWriteBuffer? {
        try await loop.visit("uv_read") { () async throws(UVError) in try await self.read() }
    }

    @inline(never)
    nonisolated(nonsending) func readElsewhere(into buffer: inout UVWriteBuffer) async throws(UVError) -> Int {
        // Only the block travels. The caller's buffer keeps owning it, and is not used in the meantime.
        nonisolated(unsafe) let block = unsafe buffer.block
        return try await loop.visit("uv_read") { () async throws(UVError) in
            try unsafe await self.read(intoBlock: block)
        }
    }

    private nonisolated(nonsending) func read(
        intoBlock block: UnsafeMutablePointer<cuv_write_block>
    ) async throws(UVError) -> Int {
        var buffer = unsafe UVWriteBuffer(block: block)
        do throws(UVError) {
            let count = try await read(into: &buffer)
            _ = unsafe buffer.takeBlock()
            return count
        } catch {
            _ = unsafe buffer.takeBlock()
            throw error
        }
    }

    /// Writes a buffer from another executor, or one from the pool of another loop.
    @inline(never)
    nonisolated(nonsending) func writeElsewhere(_ buffer: consuming UVWriteBuffer) async throws(UVError) {
        let box = BufferBox(buffer)
        if loop.isRunningHere { return try await write(loop.own(box.take())) }
        try await loop.visit("uv_write") { () async throws(UVError) in
            try await self.write(self.loop.own(box.take()))
        }
    }
}
