internal import CLibUV

// Calls from other executors; see UVLoop+Visit.swift. These are separate functions, so that calls on the loop do not
// pay for the storage that a switch to the loop needs.

extension UVConnection {
    @inline(never)
    nonisolated(nonsending) func readElsewhere() async throws(UVError) -> UVBuffer? {
        try await loop.visit("uv_read_start") { () async throws(UVError) in try await self.read() }
    }

    @inline(never)
    nonisolated(nonsending) func readElsewhere(within limit: Duration) async throws(UVError) -> UVBuffer? {
        try await loop.visit("uv_read_start") { () async throws(UVError) in try await self.read(within: limit) }
    }

    @inline(never)
    nonisolated(nonsending) func readElsewhere(
        into buffer: inout UVBuffer, within limit: Duration? = nil
    ) async throws(UVError) -> Int {
        // Only the pointer to the block is passed to the loop. The caller's buffer still owns the block, and is not
        // used until `visit` has returned.
        nonisolated(unsafe) let block = unsafe buffer.block
        return try await loop.visit("uv_read_start") { () async throws(UVError) in
            try unsafe await self.read(intoBlock: block, within: limit)
        }
    }

    private nonisolated(nonsending) func read(
        intoBlock block: UnsafeMutablePointer<cuv_write_block>, within limit: Duration?
    ) async throws(UVError) -> Int {
        var buffer = unsafe UVBuffer(block: block)
        do throws(UVError) {
            let count: Int
            if let limit {
                count = try await read(into: &buffer, within: limit)
            } else {
                count = try await read(into: &buffer)
            }
            _ = unsafe buffer.takeBlock()
            return count
        } catch {
            _ = unsafe buffer.takeBlock()
            throw error
        }
    }

    /// Writes a buffer if the call comes from another executor or the buffer comes from another loop's pool.
    @inline(never)
    nonisolated(nonsending) func writeElsewhere(
        _ buffer: consuming UVBuffer, within limit: Duration? = nil
    ) async throws(UVError) {
        let box = BufferBox(buffer)
        if loop.staysHere() { return try await write(box, within: limit) }
        try await loop.visit("uv_write") { () async throws(UVError) in try await self.write(box, within: limit) }
    }

    private nonisolated(nonsending) func write(_ box: BufferBox, within limit: Duration?) async throws(UVError) {
        let buffer = loop.own(box.take())
        guard let limit else { return try await write(buffer) }
        try await write(buffer, within: limit)
    }
}
