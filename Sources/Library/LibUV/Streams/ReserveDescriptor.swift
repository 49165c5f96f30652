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
    /// - Returns: the number of connections that were accepted and closed. It is 0 if the reserve does not help, for
    ///   example because another thread has used the freed descriptor.
    func shed(from listener: Int32) -> Int {
        release()
        var count = 0
        while count < 4096 {
            let client = accept(listener, nil, nil)
            if client < 0 {
                if cuv_errno() == EINTR { continue }
                break
            }
            _ = close(client)
            count += 1
        }
        take()
        return count
    }
}
