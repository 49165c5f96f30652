internal import CLibUV

/// A descriptor that a listener keeps in reserve, to use when the process has no free descriptor.
///
/// The target SystemCalls has a `ReserveDescriptor` too, for the servers without libuv. LibUV cannot use that one,
/// because the only Swift target of this package on which it may depend is SocketAddresses.
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
    /// After the call, the reserve may be a duplicate of the socket, which keeps the socket open. Therefore release the
    /// reserve before closing the socket.
    ///
    /// - Returns: the number of connections that were accepted and closed. It is 0 if the reserve has not helped, for
    ///   example because another thread has taken the freed descriptor.
    func shed(from listener: Int32) -> Int {
        var count = 0
        // Release the reserve only while a connection is pending. Otherwise a client whose connection was just closed
        // could immediately connect to a listener in another thread, and that listener would take the descriptor that
        // the reserve has freed.
        while count < 4096, cuv_has_connection(listener) != 0 {
            release()
            let client = cuv_accept(listener)
            if client < 0 { break }
            // For the same reason, close the connection by replacing its descriptor, which leaves no descriptor free at
            // any moment.
            if cuv_replace_descriptor(listener, client) == 0 { descriptor = client } else { _ = close(client) }
            count += 1
        }
        take()
        return count
    }
}
