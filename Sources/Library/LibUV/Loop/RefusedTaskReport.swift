#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What is said of a task that can never go on, in the manner of the Swift runtime's own reports.
enum RefusedTaskReport {
    static func write() {
        let text: StaticString =
            "UVLoop: a task was resumed after its loop had been closed, and will never go on. Let tasks end before close.\n"
        // The text is static; what standard error answers changes nothing.
        _ = unsafe Self.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }

    private static func write(_ descriptor: Int32, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        #if canImport(Glibc)
            unsafe Glibc.write(descriptor, bytes, count)
        #elseif canImport(Musl)
            unsafe Musl.write(descriptor, bytes, count)
        #else
            unsafe Darwin.write(descriptor, bytes, count)
        #endif
    }
}
