internal import CLibUV
internal import SocketAddresses

/// Operations on descriptors for which libuv has no function.
enum SystemDescriptor {
    /// Makes a close-on-exec socket of an address family, for a handle to adopt.
    static func makeSocket(_ family: Int32, _ type: Int32 = cuv_stream_type) throws(UVError) -> Int32 {
        let descriptor = cuv_socket(family, type)
        try check(descriptor, "socket")
        return descriptor
    }

    /// Makes an unbound socket that can share its port with other sockets.
    ///
    /// The caller must close it.
    ///
    /// libuv before 1.49 has no flag for sharing a port.
    static func makeSharingSocket(for address: SocketAddress, _ type: Int32) throws(UVError) -> Int32 {
        let descriptor = try makeSocket(Int32(SystemAddress.family(address.family)), type)
        try closeOnFailure(descriptor, sharePort)
        return descriptor
    }

    /// Allows other sockets to share the port of a socket (`SO_REUSEPORT`).
    static func sharePort(of descriptor: Int32) throws(UVError) {
        guard set(descriptor, SO_REUSEPORT, 1) == 0 else {
            throw UVError(code: -cuv_errno(), operation: "setsockopt", detail: "SO_REUSEPORT")
        }
    }

    /// Sets an option of a socket, and returns the result of `setsockopt`.
    static func set(_ descriptor: Int32, _ option: Int32, _ value: Int32) -> Int32 {
        unsafe withUnsafePointer(to: value) {
            unsafe setsockopt(descriptor, SOL_SOCKET, option, $0, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Closes a descriptor whose ownership has not been transferred.
    static func close(_ descriptor: Int32) { cuv_close(descriptor) }

    /// Calls `body` with a descriptor, and closes the descriptor if `body` throws.
    static func closeOnFailure(_ descriptor: Int32, _ body: (Int32) throws(UVError) -> Void) throws(UVError) {
        do throws(UVError) { try body(descriptor) } catch {
            close(descriptor)
            throw error
        }
    }

    /// Returns whether a number refers to an open descriptor.
    static func isOpen(_ descriptor: Int32) -> Bool { cuv_fcntl(descriptor, F_GETFD, 0) >= 0 }

    /// Makes a descriptor blocking or non-blocking, even for other processes that share it.
    static func setBlocking(_ descriptor: Int32, _ isBlocking: Bool) throws(UVError) {
        let flags = cuv_fcntl(descriptor, F_GETFL, 0)
        let wanted = isBlocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK
        guard flags >= 0, flags == wanted || cuv_fcntl(descriptor, F_SETFL, wanted) >= 0 else {
            throw UVError(code: -cuv_errno(), operation: "fcntl")
        }
    }
}
