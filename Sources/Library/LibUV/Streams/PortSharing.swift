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
        let descriptor = try SystemDescriptor.makeSocket(address.family == .ipv4 ? AF_INET : AF_INET6)
        var isEnabled: Int32 = 1
        let status = unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEPORT, &isEnabled, socklen_t(MemoryLayout<Int32>.size))
        guard status == 0 else {
            let code = -errno
            SystemDescriptor.close(descriptor)
            throw UVError(code: code, operation: "setsockopt SO_REUSEPORT")
        }
        return descriptor
    }
}
