// @unchecked Sendable: the bytes do not change after the initializer.
/// An immutable block of bytes that can be written to many streams without a copy.
///
/// Use it to send the same bytes to many clients, for example a message in a chat room. Each pending write retains the
/// buffer. Therefore the memory is freed when all writes have completed and the program holds no reference.
///
/// A shared buffer belongs to no loop. It can be used on any thread, and with the streams of several loops.
@safe
public final class UVSharedBuffer: @unchecked Sendable {
    let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Makes a shared buffer with a copy of bytes.
    public init(copying source: Span<UInt8>) {
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: source.count)
        unsafe source.withUnsafeBufferPointer { source in _ = unsafe bytes.initialize(fromContentsOf: source) }
        unsafe self.bytes = unsafe bytes
    }

    /// Makes a shared buffer with a copy of an array.
    public convenience init(copying source: [UInt8]) { self.init(copying: source.span) }

    /// Makes a shared buffer with a text as UTF-8.
    public convenience init(copying text: String) { self.init(copying: text.utf8.span) }

    deinit { unsafe bytes.deallocate() }

    /// The number of bytes.
    public var count: Int { unsafe bytes.count }

    /// Calls `body` with the bytes.
    public func withBytes<Failure: Error, Outcome: ~Copyable>(
        _ body: (Span<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        // The bytes exist as long as this object, which is alive during the call.
        defer { withExtendedLifetime(self) {} }
        return try body(unsafe Span(_unsafeElements: UnsafeBufferPointer(bytes)))
    }
}
