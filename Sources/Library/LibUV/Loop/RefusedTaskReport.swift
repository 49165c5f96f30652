internal import CLibUV

/// Reports a task that can never continue, in the style of the Swift runtime's messages.
enum RefusedTaskReport {
    static func print() {
        let text: StaticString =
            "UVLoop: a task was resumed after its loop had closed, and can never continue. Wait for tasks before closing a loop.\n"
        // The text is static, so its memory is valid. A failure to write it is ignored.
        _ = unsafe write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }
}
