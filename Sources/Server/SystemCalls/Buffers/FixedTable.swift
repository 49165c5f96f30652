/// A table with a fixed number of rows.
///
/// Rows are read and changed in place, without allocations or reference counting.
///
/// The program traps if an index is out of range.
@frozen
@safe
public struct FixedTable<Row: BitwiseCopyable>: ~Copyable {
    @usableFromInline let rows: UnsafeMutableBufferPointer<Row>

    /// Makes a table of equal rows.
    ///
    /// A negative count makes an empty table.
    public init(repeating row: Row, count: Int) {
        unsafe rows = .allocate(capacity: max(0, count))
        unsafe rows.initialize(repeating: row)
    }

    deinit { unsafe rows.deallocate() }

    /// The number of rows.
    @inlinable public var count: Int { unsafe rows.count }

    /// The row at an index.
    @inlinable
    public subscript(index: Int) -> Row {
        // These accessors return addresses, because Swift 6.3 cannot compile `_modify` for Thread Sanitizer.
        @inline(__always)
        unsafeAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "index out of range")
            // Every row is initialised. `index` is in range, so the table is not empty and has a base address.
            return unsafe UnsafePointer(rows.baseAddress.unsafelyUnwrapped + index)
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "index out of range")
            return unsafe rows.baseAddress.unsafelyUnwrapped + index
        }
    }

    /// Calls `body` with a range of rows.
    @inlinable
    @inline(__always)
    public borrowing func withRows<Failure: Error, Outcome: ~Copyable>(
        _ range: Range<Int>, _ body: (Span<Row>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        // `extracting` traps if the range is out of bounds.
        try body(unsafe Span(_unsafeElements: UnsafeBufferPointer(rows)).extracting(range))
    }
}
