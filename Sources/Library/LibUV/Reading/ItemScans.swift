internal import CLibUV

/// Searches for a delimiter in a buffer to which each read appends bytes.
///
/// A search continues where the previous one ended, so its cost is linear if bytes arrive one by one.
struct DelimiterScan {
    private let delimiter: [UInt8]
    private let limit: Int
    /// The number of bytes that have been searched.
    ///
    /// No delimiter begins at any of these bytes.
    private var scanned = 0

    init(_ delimiter: [UInt8], limit: Int) {
        self.delimiter = delimiter
        self.limit = max(0, min(limit, Int.max - 1))
    }

    /// Returns the number of bytes before the delimiter, or `nil` if the bytes do not contain it yet.
    ///
    /// - Throws: `limitExceeded` if no delimiter can begin within the limit, whatever bytes follow.
    mutating func end(in bytes: Span<UInt8>) throws(UVReadError) -> Int? {
        let window = min(bytes.count, limit + 1)
        while let start = bytes.firstIndex(of: delimiter[0], in: scanned..<window) {
            scanned = start
            // The rest of the delimiter has not been received.
            if bytes.count - start < delimiter.count { return nil }
            if delimiter.indices.allSatisfy({ bytes[start + $0] == delimiter[$0] }) { return start }
            scanned = start + 1
        }
        scanned = window
        if scanned > limit { throw .limitExceeded(limit: limit) }
        return nil
    }
}

/// Searches for the end of a line in a buffer to which each read appends bytes.
///
/// A search continues where the previous one ended, so its cost is linear if bytes arrive one by one.
struct LineScan {
    /// The end of a line.
    struct End {
        /// The number of bytes of the line without its terminator.
        let length: Int
        /// The number of bytes of the line with its terminator.
        let used: Int
    }

    let limit: Int
    private var scanned = 0

    init(limit: Int) { self.limit = max(0, min(limit, Int.max - 2)) }

    /// Returns the end of the first line, or `nil` if the bytes do not contain it yet.
    ///
    /// - Throws: `limitExceeded` if the line is longer than the limit, whatever bytes follow.
    mutating func end(in bytes: Span<UInt8>) throws(UVReadError) -> End? {
        // A terminator of two bytes may follow a line of `limit` bytes.
        let window = min(bytes.count, limit + 2)
        if let feed = bytes.firstIndex(of: 10, in: scanned..<window) {
            let length = feed > 0 && bytes[feed - 1] == 13 ? feed - 1 : feed
            if length > limit { throw .limitExceeded(limit: limit) }
            return End(length: length, used: feed + 1)
        }
        scanned = window
        let isOpen = bytes.count <= limit || bytes.count == limit + 1 && bytes[limit] == 13
        if !isOpen { throw .limitExceeded(limit: limit) }
        return nil
    }
}

extension Span<UInt8> {
    /// Returns the index at which a byte first occurs in a range of indices, or `nil` if the byte does not occur there.
    func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        unsafe withUnsafeBufferPointer { bytes in
            // The caller has checked that the range is within the bytes.
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + range.lowerBound, Int32(byte), range.count)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }
}
