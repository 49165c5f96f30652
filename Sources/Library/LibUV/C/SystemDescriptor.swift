internal import CLibUV

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What is done here with sockets and other descriptors because libuv has no function for it.
enum SystemDescriptor {
    /// Makes a stream socket of an address family, for a handle to take over; no program run by this one inherits it.
    static func makeSocket(_ family: Int32) throws(UVError) -> Int32 {
        let descriptor = socket(family, streamType, 0)
        guard descriptor >= 0 else { throw UVError(code: -errno, operation: "socket") }
        #if !os(Linux)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        #endif
        return descriptor
    }

    /// Closes a descriptor that nobody has taken over.
    static func close(_ descriptor: Int32) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
            _ = Musl.close(descriptor)
        #elseif canImport(Darwin)
            _ = Darwin.close(descriptor)
        #endif
    }

    /// Whether a number is that of an open descriptor.
    static func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

    /// Makes a descriptor block or not, for all who share it.
    static func setBlocking(_ descriptor: Int32, _ isBlocking: Bool) throws(UVError) {
        let flags = fcntl(descriptor, F_GETFL)
        let wanted = isBlocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK
        guard flags >= 0, flags == wanted || fcntl(descriptor, F_SETFL, wanted) >= 0 else {
            throw UVError(code: -errno, operation: "fcntl")
        }
    }

    /// The type of a stream socket.
    static var stream: Int32 {
        #if canImport(Glibc)
            Int32(SOCK_STREAM.rawValue)
        #else
            SOCK_STREAM
        #endif
    }

    private static var streamType: Int32 {
        #if canImport(Glibc)
            stream | Int32(SOCK_CLOEXEC.rawValue)
        #elseif canImport(Musl)
            stream | SOCK_CLOEXEC
        #else
            stream
        #endif
    }
}
