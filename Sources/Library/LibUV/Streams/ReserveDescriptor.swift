internal import CLibUV

/// A descriptor that a listener keeps in reserve for when the process has no free descriptor.
///
/// SystemCalls has its own reserve for the other servers, because LibUV may depend on no other target of this package
/// except SocketAddresses.
final class ReserveDescriptor {
    private var descriptor: Int32 = -1

    /// Opens the reserve, if it is closed and a descriptor is free.
    func take() {
        guard descriptor < 0 else { return }
        descriptor = cuv_open_nothing()
    }

    /// Closes the reserve.
    func release() {
        if descriptor >= 0 { _ = close(descriptor) }
        descriptor = -1
    }

    /// Accepts and closes all pending connections of a listening socket, using the reserve.
    ///
    /// After the call, the reserve is a duplicate of the socket, so it must be released before the socket is closed.
    ///
    /// - Returns: the number of connections that were accepted and closed. It is 0 if the reserve does not help, for
    ///   example because another thread has used the freed descriptor.
    func shed(from listener: Int32) -> Int {
        var count = 0
        // The reserve is released only while a client waits, because a client that was closed may connect to a listener in
        // another thread at once. That listener must not find a free descriptor.
        while count < 4096, cuv_has_connection(listener) != 0 {
            release()
            let client = cuv_accept(listener)
            if client < 0 { break }
            // For the same reason, the connection is closed by replacing its descriptor.
            if cuv_replace_descriptor(listener, client) == 0 { descriptor = client } else { _ = close(client) }
            count += 1
        }
        take()
        return count
    }
}
