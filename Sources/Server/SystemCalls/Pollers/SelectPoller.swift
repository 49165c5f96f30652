internal import CLinux
internal import Glibc

/// A poller that uses `select`.
///
/// Each wait copies two sets of bits to the kernel and back, and searches them up to the highest descriptor.
///
/// `add` rejects a descriptor that is `FD_SETSIZE` or greater. For such a descriptor, `FD_SET` in C would write out of
/// bounds.
public struct SelectPoller: ~Copyable, Poller {
    /// An `fd_set`, the set of bits that `select` takes, as an array of words.
    private typealias Words = [UInt]

    private var readable = Words(repeating: 0, count: wordCount)
    private var writable = Words(repeating: 0, count: wordCount)
    // The sets that the last wait returned.
    private var readyToRead = Words(repeating: 0, count: wordCount)
    private var readyToWrite = Words(repeating: 0, count: wordCount)
    private var added = Words(repeating: 0, count: wordCount)
    private var end: Int32 = 0
    private var found: [ReadyDescriptor] = []

    private static var wordCount: Int { MemoryLayout<fd_set>.size / MemoryLayout<UInt>.size }

    /// `FD_SETSIZE`, which is 1024.
    public static var descriptorLimit: Int? { Int(FD_SETSIZE) }

    /// Makes a poller without descriptors.
    public init() {}

    /// Adds a descriptor.
    ///
    /// - Throws: `EINVAL` if the descriptor is `FD_SETSIZE` or greater.
    public mutating func add(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError) {
        guard descriptor >= 0, descriptor < FD_SETSIZE else { throw SystemCallError(code: EINVAL, call: "select") }
        if SelectPoller.has(added, descriptor) { throw SystemCallError(code: EEXIST, call: "select") }
        SelectPoller.set(&added, descriptor, true)
        end = max(end, descriptor + 1)
        try modify(descriptor, interest)
    }

    /// Replaces a descriptor's interest.
    public mutating func modify(_ descriptor: Int32, _ interest: Interest) throws(SystemCallError) {
        guard descriptor >= 0, descriptor < FD_SETSIZE, SelectPoller.has(added, descriptor) else {
            throw SystemCallError(code: ENOENT, call: "select")
        }
        SelectPoller.set(&readable, descriptor, interest.contains(.readable))
        SelectPoller.set(&writable, descriptor, interest.contains(.writable))
    }

    /// Removes a descriptor.
    public mutating func remove(_ descriptor: Int32) throws(SystemCallError) {
        try modify(descriptor, [])
        SelectPoller.set(&added, descriptor, false)
        while end > 0, !SelectPoller.has(added, end - 1) { end -= 1 }
    }

    private static func has(_ words: Words, _ descriptor: Int32) -> Bool {
        words[Int(descriptor) / UInt.bitWidth] >> UInt(Int(descriptor) % UInt.bitWidth) & 1 == 1
    }

    private static func set(_ words: inout Words, _ descriptor: Int32, _ isSet: Bool) {
        let bit = UInt(1) << UInt(Int(descriptor) % UInt.bitWidth)
        if isSet {
            words[Int(descriptor) / UInt.bitWidth] |= bit
        } else {
            words[Int(descriptor) / UInt.bitWidth] &= ~bit
        }
    }

    /// Waits until a descriptor is ready (`select`).
    public mutating func wait(timeout: Duration?) throws(SystemCallError) -> Int {
        let wordCount = (Int(end) + UInt.bitWidth - 1) / UInt.bitWidth
        for word in 0..<wordCount {
            readyToRead[word] = readable[word]
            readyToWrite[word] = writable[word]
        }
        found.removeAll(keepingCapacity: true)
        if try select(timeout) == 0 { return 0 }
        for word in 0..<wordCount {
            var bits = readyToRead[word] | readyToWrite[word]
            while bits != 0 {
                let descriptor = Int32(word * UInt.bitWidth + bits.trailingZeroBitCount)
                bits &= bits - 1
                var readiness: Interest = SelectPoller.has(readyToRead, descriptor) ? .readable : []
                if SelectPoller.has(readyToWrite, descriptor) { readiness.insert(.writable) }
                found.append(ReadyDescriptor(descriptor: descriptor, readiness: readiness))
            }
        }
        return found.count
    }

    private mutating func select(_ timeout: Duration?) throws(SystemCallError) -> Int {
        var limit = timeval(tv_sec: 0, tv_usec: 0)
        if let timeout { limit = timeval(.milliseconds(timeout.pollMilliseconds)) }
        let end = self.end
        let count = unsafe readyToRead.withUnsafeMutableBytes { toRead in
            unsafe readyToWrite.withUnsafeMutableBytes { toWrite in
                unsafe withUnsafeMutablePointer(to: &limit) { limit in
                    // The arrays have the size of an fd_set. The kernel reads and writes only the bits below `end`.
                    unsafe Glibc.select(
                        end, toRead.baseAddress?.assumingMemoryBound(to: fd_set.self),
                        toWrite.baseAddress?.assumingMemoryBound(to: fd_set.self), nil, timeout == nil ? nil : limit)
                }
            }
        }
        return count >= 0 ? Int(count) : try waitFailed(errno, "select")
    }

    /// Returns one of the ready descriptors that the last `wait` found.
    public func ready(at index: Int) -> ReadyDescriptor { found[index] }
}
