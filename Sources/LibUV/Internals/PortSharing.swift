internal import CLibUV
internal import SocketAddresses

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Sockets whose port others may listen on too (`SO_REUSEPORT`), which libuv before 1.49 has no flag for.
enum PortSharing {
    /// Makes a socket that is not bound yet; it is the caller's to close.
    static func makeSocket(for address: SocketAddress) throws(UVError) -> Int32 {
        let descriptor = socket(address.family == .ipv4 ? AF_INET : AF_INET6, streamType, 0)
        guard descriptor >= 0 else { throw UVError(code: -errno, operation: "socket") }
        #if !os(Linux)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        #endif
        var isEnabled: Int32 = 1
        let status = unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEPORT, &isEnabled, socklen_t(MemoryLayout<Int32>.size))
        guard status == 0 else {
            let code = -errno
            close(descriptor)
            throw UVError(code: code, operation: "setsockopt SO_REUSEPORT")
        }
        return descriptor
    }

    /// Closes a socket that nobody has taken over.
    static func close(_ descriptor: Int32) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
            _ = Musl.close(descriptor)
        #elseif canImport(Darwin)
            _ = Darwin.close(descriptor)
        #endif
    }

    private static var streamType: Int32 {
        #if canImport(Glibc)
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #elseif canImport(Musl)
            SOCK_STREAM | SOCK_CLOEXEC
        #else
            SOCK_STREAM
        #endif
    }
}
