/// An event of a stream.
///
/// Events are reported in the order in which they occur.
///
/// The event and its bytes are valid only until the closure returns. The compiler checks this.
public enum UVStreamEvent: ~Escapable {
    /// Bytes have arrived. They are in the loop's read buffer, and are valid until the closure returns.
    case bytes(Span<UInt8>)

    /// The stream has reached its end, because the peer has shut down its write side. Writing is still possible.
    case end

    /// The kernel has accepted all bytes of a write that has no completion.
    ///
    /// This event is reported only while the stream's `reportsWrites` is set. Writes that the library has gathered
    /// behind a pending write share one event.
    case written

    /// The write queue was full and has fallen to the low-water mark.
    ///
    /// This event is reported only if the stream has `waterMarks`.
    case drained

    /// A read has failed, or a write without a completion has failed. The stream is still open, so close it.
    case failed(UVError)

    /// The stream has closed. This is its last event.
    case closed
}
