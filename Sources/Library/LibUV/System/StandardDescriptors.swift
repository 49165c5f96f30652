internal import CLibUV

/// The standard descriptors 0, 1 and 2.
enum StandardDescriptors {
    /// Opens the null device on each standard descriptor that is closed.
    ///
    /// Otherwise the kernel would give the number to the next descriptor that libuv opens. libuv aborts the process
    /// when it closes a descriptor with such a number. If the program's next file or connection got the number instead,
    /// text for standard error would go there.
    ///
    /// - Throws: the system's error, if neither the null device nor a socket can be opened.
    static func open() throws(UVError) {
        for number: Int32 in 0...2 where !SystemDescriptor.isOpen(number) {
            // The kernel returns the lowest free number, which is `number`, unless another thread has just opened a
            // descriptor with that number.
            var descriptor = cuv_open_null_device()
            // A container may lack the null device. In that case, a socket without a peer keeps the number in use.
            if descriptor < 0 { descriptor = cuv_socket(AF_UNIX, cuv_stream_type) }
            guard descriptor >= 0 else { throw UVError(code: descriptor, operation: "open", detail: "/dev/null") }
            if descriptor > 2 { SystemDescriptor.close(descriptor) }
        }
    }
}
