internal import CLibUV

/// The first loop of the process.
///
/// Making this loop also initialises libuv's process-wide state.
///
/// libuv aborts the process if it cannot open the descriptors for that state.
enum FirstLoop {
    /// The number of descriptors that the first loop opens: one for epoll, two for the lock of libuv's signal handlers,
    /// two for the loop's signals, and one for its wake-up.
    private static let descriptorCount = 6

    private static let isInitialised = Result { () throws(UVError) in try Locked(false) }

    /// Throws an error if libuv is not initialised yet, and the process has too few free descriptors to initialise it.
    ///
    /// - Throws: `processFileLimit` or `systemFileLimit`.
    static func checkDescriptors() throws(UVError) {
        if try isInitialised.get().withLock({ $0 }) { return }
        var error: UVError?
        var opened: [Int32] = []
        while opened.count < descriptorCount, error == nil {
            // A socket needs no file system, so the check also works in a container without devices.
            let descriptor = cuv_socket(AF_UNIX, cuv_stream_type)
            if descriptor < 0 {
                error = UVError(systemCode: -descriptor, operation: "uv_loop_init")
            } else {
                opened.append(descriptor)
            }
        }
        for descriptor in opened { SystemDescriptor.close(descriptor) }
        if let error { throw error }
    }

    /// Remembers that libuv is initialised.
    static func didInitialise() { (try? isInitialised.get())?.withLock { $0 = true } }
}
