import LibUV

/// What a loop counts from its beginning on.
struct LoopTotals {
    let readByteCount: UInt64
    let writtenByteCount: UInt64
    let refusedTaskCount: Int

    init(of loop: UVLoop) {
        (readByteCount, writtenByteCount) = loop.byteCounts
        refusedTaskCount = loop.refusedTaskCount
    }
}
