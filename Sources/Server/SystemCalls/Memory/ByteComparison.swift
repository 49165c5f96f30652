internal import Glibc

/// Compares as many bytes as the shorter of two spans has (`memcmp`).
///
/// - Returns: the offset of the first difference; `nil` where there is none.
public func firstDifference(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int? {
    let count = min(left.count, right.count)
    let isEqual = unsafe left.withUnsafeBufferPointer { left in
        unsafe right.withUnsafeBufferPointer { right in
            guard count > 0, let left = left.baseAddress, let right = right.baseAddress else { return true }
            // Both hold `count` bytes.
            return unsafe memcmp(left, right, count) == 0
        }
    }
    return isEqual ? nil : (0..<count).first { left[$0] != right[$0] }
}
