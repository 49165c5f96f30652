// The protocol's inner loop, which processes 16 bytes at a time. It contains the only unsafe code of this target.
//
// Every access is in bounds for these reasons. `input` has `count` bytes, and `output` has room for `count` bytes.
// Every step advances the input by at least as much as the output, so the remaining output is never smaller than the
// remaining input. A step loads and stores a vector only if the remaining input is at least as long as a vector. The
// remaining output is then at least as long as a vector too. A store may write beyond the end of the reply, but stays
// within the capacity of the output, and the next step overwrites those bytes.

@usableFromInline
enum Transformation {
    /// Runs the machine over the first `count` bytes of `input`, and appends the reply to `output`.
    ///
    /// - Parameter count: at most `input.count`, and at most the free capacity of `output`.
    /// - Returns: whether a message is open afterwards.
    @inlinable
    @inline(__always)
    static func run(
        _ input: Span<UInt8>, count: Int, into output: inout OutputSpan<UInt8>, isInMessage: Bool
    ) -> Bool {
        unsafe input.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
                guard count > 0, let first = input.baseAddress, let base = buffer.baseAddress else {
                    return isInMessage
                }
                let start = unsafe UnsafeMutableRawPointer(base) + initializedCount
                let result = unsafe transform(
                    UnsafeRawPointer(first), count: count, into: start, isInMessage: isInMessage)
                initializedCount &+= result.written
                return result.isInMessage
            }
        }
    }

    /// The position of the loop in its input and output.
    @usableFromInline
    @unsafe
    struct Cursor {
        @usableFromInline var input: UnsafeRawPointer
        @usableFromInline let end: UnsafeRawPointer
        @usableFromInline var output: UnsafeMutableRawPointer

        @inlinable
        @inline(__always)
        init(input: UnsafeRawPointer, end: UnsafeRawPointer, output: UnsafeMutableRawPointer) {
            unsafe self.input = unsafe input
            unsafe self.end = unsafe end
            unsafe self.output = unsafe output
        }
    }
}

/// Runs the machine over `count` bytes.
///
/// - Returns: the number of bytes of the reply, and whether a message is open afterwards.
@usableFromInline
@inline(never)
func transform(
    _ input: UnsafeRawPointer, count: Int, into output: UnsafeMutableRawPointer, isInMessage: Bool
) -> (written: Int, isInMessage: Bool) {
    var cursor = unsafe Transformation.Cursor(input: input, end: input + count, output: output)
    let isOpen = unsafe cursor.run(isInMessage: isInMessage)
    return unsafe (cursor.output - output, isOpen)
}

extension Transformation.Cursor {
    private static var openings: SIMD16<UInt8> { SIMD16(repeating: ServerMachine.opening) }
    private static var closings: SIMD16<UInt8> { SIMD16(repeating: ServerMachine.closing) }

    /// The number of input bytes that remain.
    @inline(__always)
    private var left: Int { unsafe end - input }

    @inline(__always)
    fileprivate mutating func run(isInMessage: Bool) -> Bool {
        var isInMessage = isInMessage
        var isDense = false
        while true {
            if !isInMessage, unsafe !skipToMessage() { return false }
            let start = unsafe input
            // Short messages often follow one another. In that case, processing them byte by byte is faster than
            // searching with vectors, because each search has to wait for the result of the previous search.
            if isDense, unsafe replyToShort() {
                if unsafe input == end { return false }
                isInMessage = false
                continue
            }
            if unsafe !replyToMessage() { return true }
            if unsafe input == end { return false }
            isDense = unsafe input - start <= 8
            isInMessage = false
        }
    }

    /// Replies to up to eight bytes of a message.
    ///
    /// - Returns: whether one of these bytes closed the message.
    @inline(__always)
    private mutating func replyToShort() -> Bool {
        let limit = unsafe left < 8 ? end : input + 8
        while unsafe input < limit {
            let byte = unsafe input.load(as: UInt8.self)
            unsafe input += 1
            if byte == ServerMachine.closing { return true }
            unsafe output.storeBytes(of: byte &+ 1, as: UInt8.self)
            unsafe output += 1
        }
        return false
    }

    /// Skips the bytes outside messages, and the byte that opens the next message.
    ///
    /// - Returns: whether a message was opened.
    @inline(__always)
    private mutating func skipToMessage() -> Bool {
        // Messages usually follow one another directly. At least one byte remains whenever this function is called.
        if unsafe input.load(as: UInt8.self) == ServerMachine.opening {
            unsafe input += 1
            return true
        }
        while unsafe left >= 16 {
            let found = unsafe Self.words(of: input.loadUnaligned(as: SIMD16<UInt8>.self) .== Self.openings)
            if found.0 | found.1 != 0 {
                unsafe input += Self.firstByte(found) + 1
                return true
            }
            unsafe input += 16
        }
        while unsafe input < end {
            let byte = unsafe input.load(as: UInt8.self)
            unsafe input += 1
            if byte == ServerMachine.opening { return true }
        }
        return false
    }

    /// Replies to the bytes of a message, and skips the byte that closes it.
    ///
    /// - Returns: whether the message was closed.
    @inline(__always)
    private mutating func replyToMessage() -> Bool {
        while unsafe left >= 64, unsafe replyTo64() {}
        while unsafe left >= 16 {
            let bytes = unsafe input.loadUnaligned(as: SIMD16<UInt8>.self)
            unsafe output.storeBytes(of: bytes &+ 1, as: SIMD16<UInt8>.self)
            let found = unsafe Self.words(of: bytes .== Self.closings)
            if found.0 | found.1 != 0 {
                let count = unsafe Self.firstByte(found)
                unsafe input += count + 1
                unsafe output += count
                return true
            }
            unsafe input += 16
            unsafe output += 16
        }
        return unsafe replyToTail()
    }

    /// Replies to the next 64 bytes, unless one of them closes the message.
    ///
    /// - Returns: whether the message is still open after these bytes.
    @inline(__always)
    private mutating func replyTo64() -> Bool {
        let a = unsafe input.loadUnaligned(as: SIMD16<UInt8>.self)
        let b = unsafe input.loadUnaligned(fromByteOffset: 16, as: SIMD16<UInt8>.self)
        let c = unsafe input.loadUnaligned(fromByteOffset: 32, as: SIMD16<UInt8>.self)
        let d = unsafe input.loadUnaligned(fromByteOffset: 48, as: SIMD16<UInt8>.self)
        let closings = unsafe Self.closings
        let found = unsafe Self.words(of: (a .== closings) .| (b .== closings) .| (c .== closings) .| (d .== closings))
        if found.0 | found.1 != 0 { return false }
        unsafe output.storeBytes(of: a &+ 1, as: SIMD16<UInt8>.self)
        unsafe output.storeBytes(of: b &+ 1, toByteOffset: 16, as: SIMD16<UInt8>.self)
        unsafe output.storeBytes(of: c &+ 1, toByteOffset: 32, as: SIMD16<UInt8>.self)
        unsafe output.storeBytes(of: d &+ 1, toByteOffset: 48, as: SIMD16<UInt8>.self)
        unsafe input += 64
        unsafe output += 64
        return true
    }

    /// Replies to the last bytes of the input, at most 15.
    @inline(__always)
    private mutating func replyToTail() -> Bool {
        while unsafe input < end {
            let byte = unsafe input.load(as: UInt8.self)
            unsafe input += 1
            if byte == ServerMachine.closing { return true }
            unsafe output.storeBytes(of: byte &+ 1, as: UInt8.self)
            unsafe output += 1
        }
        return false
    }

    /// Converts a mask of 16 elements to 16 bytes, which are returned in two words.
    ///
    /// A byte is 0xFF if the mask is set at the byte's index, and 0 if not.
    @inline(__always)
    private static func words(of mask: SIMDMask<SIMD16<Int8>>) -> (UInt64, UInt64) {
        // Both types have 16 bytes without padding.
        let words = unsafe unsafeBitCast(mask, to: SIMD2<UInt64>.self)
        return (words.x, words.y)
    }

    /// Returns the index of the first set byte; at least one byte of the mask must be set.
    @inline(__always)
    private static func firstByte(_ words: (UInt64, UInt64)) -> Int {
        words.0 != 0 ? words.0.trailingZeroBitCount >> 3 : 8 + words.1.trailingZeroBitCount >> 3
    }
}
