internal import CLibUV

/// What is said of a task that can never go on, in the manner of the Swift runtime's own reports.
enum RefusedTaskReport {
    static func print() {
        let text: StaticString =
            "UVLoop: a task was resumed after its loop had been closed, and will never go on. Let tasks end before close.\n"
        // The text is static; what standard error answers changes nothing.
        _ = unsafe write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }
}
