import LibUV

/// The totals that a loop has counted since it was created.
struct LoopTotals {
    let readByteCount: UInt64
    let writtenByteCount: UInt64
    let refusedTaskCount: Int

    init(of loop: UVLoop) {
        let statistics = loop.statistics
        (readByteCount, writtenByteCount) = (statistics.readByteCount, statistics.writtenByteCount)
        refusedTaskCount = loop.refusedTaskCount
    }
}
