/// What happens on a stream, in the order in which it happens.
///
/// The event cannot outlive the call that it is given to, nor can the bytes that it lends.
public enum UVStreamEvent: ~Escapable {
    /// Bytes have arrived. They lie in the loop's one read buffer, lent for the length of the call.
    case bytes(Span<UInt8>)

    /// The peer has ended its side; nothing more will be read. Writing is still possible.
    case end

    /// A write without a completion of its own has been taken by the kernel, and its buffer is back in the pool.
    ///
    /// Reported while the stream's `reportsWrites` is set.
    case written

    /// A read, or a write without a completion of its own, has failed. The stream is still open: close it.
    case failed(UVError)

    /// The stream has closed. It is the last event.
    case closed
}
