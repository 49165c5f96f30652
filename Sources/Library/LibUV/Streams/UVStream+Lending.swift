internal import CLibUV

// Reading into memory that the reader provides, instead of into the loop's read buffer. For a stream with such a
// reader, libuv gets memory from `Trampolines.onLendOwn`, which lends each piece of memory once.

extension UVStream {
    /// Makes the next read fill this memory, which must stay valid until that read or `stopLending`.
    final func lend(_ memory: UnsafeMutableBufferPointer<UInt8>) {
        unsafe loop.state.pointee.lent[stream] = memory
        unsafe cuv_burst_forget(stream)
        setFlag(Trampolines.lendsOwn, true)
    }

    /// Makes reads fill the loop's read buffer again.
    final func stopLending() {
        unsafe loop.state.pointee.lent[stream] = nil
        setFlag(Trampolines.lendsOwn, false)
    }

    /// Marks the lent memory as filled.
    ///
    /// No memory can be lent until the reader provides more.
    final func finishLending() {
        unsafe loop.state.pointee.lent[stream] = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    /// Returns the memory for the read that libuv is about to make.
    ///
    /// If the memory has been filled and the reader has provided no more, the result is an empty buffer. The empty
    /// buffer makes libuv end its series of reads, so that the reader can run. If the reader still provides no memory,
    /// later reads fill the loop's read buffer.
    final func lentMemory() -> UnsafeMutableBufferPointer<UInt8>? {
        let memory = unsafe loop.state.pointee.lent[stream]
        if unsafe memory?.baseAddress == nil { stopLending() }
        return unsafe memory
    }
}
