internal import CLibUV

/// A thread of the operating system, which ends when its closure returns.
enum SystemThread {
    // @unchecked Sendable: it is used once, by the new thread.
    private final class Start: @unchecked Sendable {
        let name: String
        let body: () -> Void
        init(_ name: String, _ body: @escaping () -> Void) { (self.name, self.body) = (name, body) }
    }

    /// Starts a thread (`uv_thread_create`).
    ///
    /// - Parameter name: the name of the thread, of which Linux keeps 15 bytes.
    /// - Throws: the error of `uv_thread_create`, for example `wouldBlock` if the process has too many threads.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(UVError) {
        let start = unsafe Unmanaged.passRetained(Start(String(decoding: name.utf8.prefix(15), as: UTF8.self), body))
        var thread = uv_thread_t()
        let status = unsafe uv_thread_create(
            &thread,
            { argument in
                guard let argument = unsafe argument else { return }
                // The argument is the reference that `start` has retained.
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                unsafe start.name.withCString { unsafe cuv_set_thread_name($0) }
                start.body()
            }, start.toOpaque())
        guard status >= 0 else {
            unsafe start.release()
            throw UVError(code: status, operation: "uv_thread_create")
        }
        cuv_thread_detach(thread)
    }
}
