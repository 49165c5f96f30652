internal import CLibUV
internal import SocketAddresses

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What libuv's functions for datagrams leave out, depending on its version: done on the descriptor.
enum DatagramSocket {
    /// Makes a socket whose port others may share, not bound yet; it is the caller's to close.
    static func makeSharing(for address: SocketAddress) throws(UVError) -> Int32 {
        let descriptor = socket(Int32(SystemAddress.family(address.family)), type | closedOnExec, 0)
        guard descriptor >= 0 else { throw UVError(code: -errno, operation: "socket") }
        #if !os(Linux)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        #endif
        do throws(UVError) { try sharePort(of: descriptor) } catch {
            SystemDescriptor.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Lets other sockets share a socket's port (`SO_REUSEPORT`).
    static func sharePort(of descriptor: Int32) throws(UVError) {
        guard set(descriptor, SO_REUSEPORT, 1) == 0 else {
            throw UVError(code: -errno, operation: "setsockopt SO_REUSEPORT")
        }
    }

    /// Takes back what libuv before 1.52 sets on each socket that it takes over (`SO_REUSEADDR`).
    static func forbidReuse(of descriptor: Int32) {
        // libuv has just set the same option on it: this cannot fail.
        _ = set(descriptor, SO_REUSEADDR, 0)
    }

    /// Whether an Internet socket for datagrams lets others bind its address (`SO_REUSEADDR`).
    ///
    /// - Throws: `badDescriptor` and the like; `invalidArgument` for a socket of another family or type.
    static func reusesAddress(_ descriptor: Int32) throws(UVError) -> Bool {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            // Every address of the system's begins with the fields of a sockaddr.
            unsafe getsockname(
                descriptor, UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard status == 0 else { throw UVError(code: -errno, operation: "getsockname") }
        guard SystemAddress.parse(&storage) != nil, try get(descriptor, SO_TYPE) == type else {
            throw UVError(.invalidArgument, operation: "uv_udp_open")
        }
        return try get(descriptor, SO_REUSEADDR) != 0
    }

    private static func set(_ descriptor: Int32, _ option: Int32, _ value: Int32) -> Int32 {
        var value = value
        return unsafe setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func get(_ descriptor: Int32, _ option: Int32) throws(UVError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, option, &value, &length) == 0 else {
            throw UVError(code: -errno, operation: "getsockopt")
        }
        return value
    }

    private static var type: Int32 {
        #if canImport(Glibc)
            Int32(SOCK_DGRAM.rawValue)
        #else
            SOCK_DGRAM
        #endif
    }

    private static var closedOnExec: Int32 {
        #if canImport(Glibc)
            Int32(SOCK_CLOEXEC.rawValue)
        #elseif canImport(Musl)
            SOCK_CLOEXEC
        #else
            0
        #endif
    }
}
