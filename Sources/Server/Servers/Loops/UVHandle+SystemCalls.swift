internal import LibUV

extension UVHandle {
    /// The handle's descriptor, for system calls that libuv does not offer; `nil` if the handle is closing.
    var descriptor: Int32? { try? withUnsafeDescriptor { $0 } }
}
