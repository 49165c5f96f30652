internal import CLibUV

// Making the memory of a handle. The memory is allocated, initialised by libuv, and then passed to the handle's object.
// If the initialisation fails, libuv has no handle to close, so the memory is only freed.

/// Allocates the memory of a handle, and initialises it with a call of libuv.
///
/// - Parameter roomBefore: the number of bytes before the handle, which is a multiple of 8. These bytes are zero.
/// - Throws: libuv's error, after the memory has been freed; `cancelled` if the loop is closing or closed.
func makeHandle<Handle>(
    _ type: Handle.Type, on loop: UVLoop, _ operation: StaticString, roomBefore: Int = 0,
    _ initialise: (UnsafeMutablePointer<uv_loop_t>, UnsafeMutablePointer<Handle>) -> Int32
) throws(UVError) -> UnsafeMutablePointer<uv_handle_t> {
    try loop.checkOpen("\(operation)")
    let memory = UnsafeMutableRawPointer.allocate(
        byteCount: roomBefore + MemoryLayout<Handle>.size, alignment: 16)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: roomBefore + MemoryLayout<Handle>.size)
    let handle = unsafe (memory + roomBefore).bindMemory(to: Handle.self, capacity: 1)
    let status = unsafe initialise(loop.raw, handle)
    guard status >= 0 else {
        unsafe memory.deallocate()
        throw UVError(code: status, operation: "\(operation)")
    }
    return unsafe UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
}

extension UVLoop {
    /// Throws `cancelled` if the loop is closing or closed.
    func checkOpen(_ operation: @autoclosure () -> String) throws(UVError) {
        assertOnThread()
        // Release builds have no assertions, so this check throws an error for a call on the wrong thread. The cost of
        // the check does not matter, because handles and requests are rarely made.
        guard isOnThread else { throw UVError(.notPermitted, operation: operation()) }
        guard unsafe !state.pointee.isClosing, unsafe !state.pointee.isClosed else {
            throw UVError(.cancelled, operation: operation())
        }
    }
}

extension UVHandle {
    /// Returns the handle as a pointer to its specific structure.
    ///
    /// Every such structure begins with the fields of a uv_handle_t.
    final func cast<Handle>(to type: Handle.Type) -> UnsafeMutablePointer<Handle> {
        unsafe UnsafeMutableRawPointer(raw).assumingMemoryBound(to: type)
    }

    /// Throws an error if the handle is closing or closed.
    final func checkOpen(_ operation: @autoclosure () -> String) throws(UVError) {
        assertOnThread()
        if isClosing { throw UVError(.invalidArgument, operation: operation()) }
    }

    /// Makes a libuv call for this handle, which must be open.
    ///
    /// - Throws: `invalidArgument` if the handle is closing; otherwise the error that libuv returns.
    final func call(_ operation: @autoclosure () -> String, _ body: () -> Int32) throws(UVError) {
        try checkOpen(operation())
        try check(body(), operation())
    }

    /// Whether the handle has a descriptor.
    final var hasDescriptor: Bool { unsafe (try? fileDescriptor(of: raw)) != nil }
}

/// Returns the descriptor of a handle (`uv_fileno`).
func fileDescriptor(of handle: UnsafeMutablePointer<uv_handle_t>) throws(UVError) -> Int32 {
    var descriptor: uv_os_fd_t = -1
    try unsafe check(uv_fileno(handle, &descriptor), "uv_fileno")
    return descriptor
}
