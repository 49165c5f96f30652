internal import CLibUV

/// The standard descriptors 0, 1 and 2.
enum StandardDescriptors {
    /// Opens the null device on each standard descriptor that is closed.
    ///
    /// Otherwise the kernel would give the number to the next descriptor that libuv opens. libuv aborts the process
    /// when it closes a descriptor with such a number. The program's own descriptors would have the same problem: text
    /// for standard error would go to a file or a connection.
    ///
    /// - Throws: the error of opening the null device.
    static func open() throws(UVError) {
        for number: Int32 in 0...2 where !SystemDescriptor.isOpen(number) {
            // The kernel returns the lowest number that is free, which is this one, unless another thread has just
            // taken it.
            var descriptor = cuv_open_null_device()
            // A container may lack the null device. A socket without a peer then keeps the number in use.
            if descriptor < 0 { descriptor = cuv_socket(AF_UNIX, cuv_stream_type) }
            guard descriptor >= 0 else { throw UVError(code: descriptor, operation: "open", detail: "/dev/null") }
            if descriptor > 2 { SystemDescriptor.close(descriptor) }
        }
    }
}
