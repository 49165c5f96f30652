internal import Glibc

/// Appends bytes to an output span until the input ends or the output is full (`memcpy`).
public func copyBytes(from input: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
    let count = min(input.count, output.freeCapacity)
    unsafe input.withUnsafeBufferPointer { input in
        unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
            guard count > 0, let from = input.baseAddress, let to = buffer.baseAddress else { return }
            // The input has at least `count` bytes, and the output has room for `count` bytes after its initialised
            // bytes.
            unsafe _ = memcpy(to + initializedCount, from, count)
            initializedCount += count
        }
    }
}

/// Compares two spans up to the length of the shorter span (`memcmp`).
///
/// - Returns: the offset of the first byte that differs, or `nil` if the compared bytes are equal.
public func firstDifference(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int? {
    let count = min(left.count, right.count)
    let isEqual = unsafe left.withUnsafeBufferPointer { left in
        unsafe right.withUnsafeBufferPointer { right in
            guard count > 0, let left = left.baseAddress, let right = right.baseAddress else { return true }
            // Both spans have at least `count` bytes, so `memcmp` does not read past their ends.
            return unsafe memcmp(left, right, count) == 0
        }
    }
    return isEqual ? nil : (0..<count).first { left[$0] != right[$0] }
}
