internal import CLibUV

// @unchecked Sendable: a vector has one owner, and its release checks the thread.
/// A sequence of buffers for one write.
///
/// The vector owns its buffers. If it is released without being written, they return to the pool.
@safe
public struct UVBufferVector: ~Copyable, @unchecked Sendable {
    /// The block of the first buffer.
    ///
    /// Each block refers to the next one.
    private(set) var first: UnsafeMutablePointer<cuv_write_block>?
    private var last: UnsafeMutablePointer<cuv_write_block>?

    /// Makes a vector without buffers.
    public init() {
        unsafe first = nil
        unsafe last = nil
    }

    deinit { unsafe UVBufferVector.giveBack(first) }

    /// Appends a buffer, and takes ownership of it.
    public mutating func append(_ buffer: consuming UVBuffer) {
        let block = unsafe buffer.takeBlock()
        if let last = unsafe last {
            unsafe last.pointee.next = block
            if unsafe last.pointee.role == .only { unsafe last.pointee.role = .first }
            unsafe block.pointee.role = .further
        } else {
            unsafe first = block
        }
        unsafe last = block
    }

    /// The total number of bytes in the buffers.
    public var byteCount: Int { unsafe first.map { unsafe WriteChain.byteCount($0) } ?? 0 }

    consuming func takeBlocks() -> UnsafeMutablePointer<cuv_write_block>? {
        let first = unsafe self.first
        discard self
        return unsafe first
    }

    private static func giveBack(_ first: UnsafeMutablePointer<cuv_write_block>?) {
        var block = unsafe first
        while let current = unsafe block {
            unsafe block = current.pointee.next
            unsafe current.pointee.role = .only
            unsafe UVBuffer.drop(current)
        }
    }
}
