/// A table of a fixed number of rows, in memory of its own: what a loop reads and changes without allocating anything or
/// counting references.
///
/// An index beyond the rows is the caller's fault, and ends the program.
@frozen
@safe
public struct FixedTable<Row: BitwiseCopyable>: ~Copyable {
    @usableFromInline let rows: UnsafeMutableBufferPointer<Row>

    /// Makes a table of equal rows.
    ///
    /// - Parameters:
    ///   - row: what each row holds at first.
    ///   - count: how many rows there are; none where it is negative.
    public init(repeating row: Row, count: Int) {
        unsafe rows = .allocate(capacity: max(0, count))
        unsafe rows.initialize(repeating: row)
    }

    deinit { unsafe rows.deallocate() }

    /// How many rows there are.
    @inlinable public var count: Int { unsafe rows.count }

    /// The row at an index, to be read or changed in place.
    @inlinable
    public subscript(index: Int) -> Row {
        // Addresses rather than `_modify`, which Swift 6.3 cannot compile for Thread Sanitizer.
        @inline(__always)
        unsafeAddress {
            precondition(index >= 0 && index < count, "a row that the table does not have")
            // Every row is initialised, and `index` is one of theirs: there is one, hence an address.
            return unsafe UnsafePointer(rows.baseAddress.unsafelyUnwrapped + index)
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(index >= 0 && index < count, "a row that the table does not have")
            return unsafe rows.baseAddress.unsafelyUnwrapped + index
        }
    }

    /// Calls `body` with some of the rows.
    @inlinable
    @inline(__always)
    public borrowing func withRows<Failure: Error, Outcome: ~Copyable>(
        _ range: Range<Int>, _ body: (Span<Row>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        // The span of all rows is cut to the range, which traps beyond them.
        try body(unsafe Span(_unsafeElements: UnsafeBufferPointer(rows)).extracting(range))
    }
}
