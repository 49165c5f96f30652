internal import CLinux
internal import Glibc
internal import SocketAddresses

/// System calls that take or return addresses.
enum SystemAddress {
    /// Converts an address to a `sockaddr`, and calls `body` with the `sockaddr` and its length.
    static func with(
        _ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemCallError) -> Void
    ) throws(SystemCallError) {
        var storage = sockaddr_storage()
        guard let length = unsafe address.write(to: &storage) else {
            throw SystemCallError(code: ENODEV, call: "if_nametoindex")
        }
        // Every address structure begins with the fields of a sockaddr.
        try unsafe withUnsafePointer(to: &storage) { pointer throws(SystemCallError) in
            try unsafe body(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    /// Returns the address that `call` writes as a `sockaddr`, or `nil` if the address is neither IPv4 nor IPv6.
    static func read(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) throws(SystemCallError) -> Void
    ) throws(SystemCallError) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return try unsafe withUnsafeMutablePointer(to: &storage) { pointer throws(SystemCallError) in
            let form = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            try unsafe call(form, &length)
            return unsafe SocketAddress(form)
        }
    }

    /// Binds a socket with `SO_REUSEADDR` (`bind`).
    static func bind(_ number: Int32, to address: SocketAddress) throws(SystemCallError) {
        try SocketOption.set(number, SOL_SOCKET, SO_REUSEADDR, Int32(1))
        try unsafe with(address) { form, length throws(SystemCallError) in
            _ = try system("bind") { unsafe Glibc.bind(number, form, length) }
        }
    }

    /// The local address of a socket (`getsockname`).
    static func local(of number: Int32) throws(SystemCallError) -> SocketAddress {
        let address = try unsafe read { form, length throws(SystemCallError) in
            _ = try system("getsockname") { unsafe getsockname(number, form, length) }
        }
        guard let address else { throw SystemCallError(code: EAFNOSUPPORT, call: "getsockname") }
        return address
    }
}

extension FileDescriptor {
    /// Makes a close-on-exec TCP socket for an address (`socket`).
    init(socketFor address: SocketAddress, flags: Int32) throws(SystemCallError) {
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | flags
        self.init(owning: try system("socket") { socket(family, type, 0) })
    }
}
