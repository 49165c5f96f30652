internal import CLibUV

/// A descriptor that a listener keeps for the moment when there is no other.
///
/// SystemCalls has a reserve of its own for the other servers, since this product links libuv and SocketAddresses only.
final class ReserveDescriptor {
    private var descriptor: Int32 = -1

    /// Takes a descriptor into reserve, where none is and one can be had.
    func take() {
        guard descriptor < 0 else { return }
        descriptor = cuv_open_nothing()
    }

    /// Gives the reserve up.
    func release() {
        if descriptor >= 0 { _ = close(descriptor) }
        descriptor = -1
    }

    /// Accepts and closes the clients that wait at a listening socket, using the reserve.
    ///
    /// Where the reserve is gone, another thread has taken its place: then this waits for a millisecond, since
    /// libuv 1.44 would call back at once, again and again.
    ///
    /// - Returns: how many clients were accepted and closed.
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
        if count == 0, descriptor < 0 { usleep(1000) }
        return count
    }
}
