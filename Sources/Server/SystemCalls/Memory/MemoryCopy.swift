internal import Glibc

/// Copies bytes with the system's `memcpy`, as many as the output has room for.
public func copyBytes(from input: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
    let count = min(input.count, output.freeCapacity)
    unsafe input.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
            guard count > 0, let from = input.baseAddress, let to = buffer.baseAddress else { return }
            // `count` bytes are in the input, and free in the output behind the initialised ones.
            unsafe _ = memcpy(to + initializedCount, from, count)
            initializedCount += count
        }
    }
}
