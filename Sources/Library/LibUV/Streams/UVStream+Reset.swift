internal import CLibUV

extension UVStream {
    /// Makes closing the stream reset its connection, so that the kernel drops unsent bytes (`SO_LINGER`).
    ///
    /// In contrast to `uv_tcp_close_reset`, this is possible while a shutdown is pending. Only TCP streams can be
    /// reset, so the call has no effect on other streams.
    final func resetWhenClosed() {
        guard self is UVTCPStream, let descriptor = unsafe try? fileDescriptor(of: raw) else { return }
        let immediately = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe withUnsafePointer(to: immediately) {
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, $0, socklen_t(MemoryLayout<linger>.size))
        }
    }
}
