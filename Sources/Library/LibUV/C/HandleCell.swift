internal import CLibUV

// How a handle's cell comes to be: allocated, initialised by libuv, and only then given to its object. A handle
// whose initialisation failed was never one for libuv: its memory is freed, and nothing is closed.

/// Allocates a cell for a handle and lets libuv initialise it.
///
/// - Parameter roomBefore: how many bytes the cell has before the handle, a multiple of 8; they are zero at first.
/// - Throws: what libuv answered, with the cell freed; `cancelled` on a loop that is closing or closed.
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
    /// Refuses new handles on a loop that is closing or closed.
    func checkOpen(_ operation: @autoclosure () -> String) throws(UVError) {
        assertOnThread()
        guard unsafe !state.pointee.isClosing, unsafe !state.pointee.isClosed else {
            throw UVError(.cancelled, operation: operation())
        }
    }
}

extension UVHandle {
    /// The handle as the structure that its subclass knows it to be: every handle begins with a uv_handle_t.
    final func cast<Handle>(to type: Handle.Type) -> UnsafeMutablePointer<Handle> {
        unsafe UnsafeMutableRawPointer(raw).assumingMemoryBound(to: type)
    }

    /// Refuses an operation on a handle that is closing or closed.
    final func checkOpen(_ operation: @autoclosure () -> String) throws(UVError) {
        assertOnThread()
        if isClosing { throw UVError(.invalidArgument, operation: operation()) }
    }

    /// Makes a call of libuv on a handle that is open.
    ///
    /// - Throws: `invalidArgument` on a handle that is closing; what libuv answered.
    final func call(_ operation: @autoclosure () -> String, _ body: () -> Int32) throws(UVError) {
        try checkOpen(operation())
        try check(body(), operation())
    }

    /// Whether the handle has a descriptor.
    final var hasDescriptor: Bool { unsafe (try? fileDescriptor(of: raw)) != nil }
}

/// The descriptor of a handle (`uv_fileno`).
func fileDescriptor(of handle: UnsafeMutablePointer<uv_handle_t>) throws(UVError) -> Int32 {
    var descriptor: uv_os_fd_t = -1
    try unsafe check(uv_fileno(handle, &descriptor), "uv_fileno")
    return descriptor
}
