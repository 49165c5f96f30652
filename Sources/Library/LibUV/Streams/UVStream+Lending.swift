internal import CLibUV

// Reads into memory of the reader's own, in place of the loop's read buffer. For a stream that is lent to, libuv asks
// `Trampolines.onLendOwn`, and gets each piece of memory once.

extension UVStream {
    /// Lets the next read fill this memory; it must stay where it is until the read or `stopLending`.
    final func lend(_ memory: UnsafeMutableBufferPointer<UInt8>) {
        unsafe loop.state.pointee.lent[stream] = memory
        unsafe cuv_burst_forget(stream)
        setFlag(Trampolines.lendsOwn, true)
    }

    /// Lets reads fill the loop's own memory again.
    final func stopLending() {
        unsafe loop.state.pointee.lent[stream] = nil
        setFlag(Trampolines.lendsOwn, false)
    }

    /// Marks what was lent as filled: there is nothing to lend until the reader brings more.
    final func finishLending() {
        unsafe loop.state.pointee.lent[stream] = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    /// The memory for the read that libuv is about to make.
    ///
    /// Where it has been filled and no other was lent since, there is none: libuv leaves its run of reads, the reader
    /// has its turn, and what it does not bring memory for is read into the loop's own.
    final func lentMemory() -> UnsafeMutableBufferPointer<UInt8>? {
        let memory = unsafe loop.state.pointee.lent[stream]
        if unsafe memory?.baseAddress == nil { stopLending() }
        return unsafe memory
    }
}
