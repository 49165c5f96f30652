internal import CLibUV

/// Makes Unix domain sockets that are bound or connected to a name.
///
/// The library makes these sockets itself, for two reasons. libuv before 1.46 does not support abstract names, because
/// it ends a name at the first zero byte. When it closes a socket that it has bound, every version of libuv removes the
/// socket's path, without checking that the path still leads to the same file.
enum LocalSocket {
    /// Makes a socket that is bound to a name.
    ///
    /// The caller must close it.
    static func bound(to name: UVPipeName) throws(UVError) -> Int32 {
        try unsafe make(name, "bind") { unsafe bind($0, $1, $2) }
    }

    /// Makes a socket that is connected to a name.
    ///
    /// The caller must close it.
    ///
    /// Connecting a local socket succeeds or fails immediately.
    static func connected(to name: UVPipeName) throws(UVError) -> Int32 {
        try unsafe make(name, "connect") { unsafe connect($0, $1, $2) }
    }

    /// Makes a non-blocking socket, and passes it to `call` together with a name as a `sockaddr`.
    private static func make(
        _ name: UVPipeName, _ operation: String, _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(UVError) -> Int32 {
        let descriptor = try SystemDescriptor.makeSocket(AF_UNIX)
        try SystemDescriptor.closeOnFailure(descriptor) { descriptor throws(UVError) in
            try SystemDescriptor.setBlocking(descriptor, false)
            while unsafe with(name, { unsafe call(descriptor, $0, $1) }) < 0 {
                let code = cuv_errno()
                if code != EINTR { throw UVError(code: -code, operation: operation) }
            }
        }
        return descriptor
    }

    /// Calls `body` with a name as a `sockaddr`.
    ///
    /// The length includes no bytes after the name, because such bytes would become part of an abstract name.
    private static func with(_ name: UVPipeName, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name.bytes) }
        let length = (MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 0) + name.bytes.count
        return unsafe withUnsafePointer(to: &address) { address in
            // Every address structure begins with the fields of a sockaddr.
            unsafe body(UnsafeRawPointer(address).assumingMemoryBound(to: sockaddr.self), socklen_t(length))
        }
    }
}
