extension UVLoop {
    /// The settings of a new loop.
    public struct Configuration: Sendable {
        /// The size of the loop's read buffer in bytes, which is the largest number of bytes that one read can report.
        public var readBufferSize: Int

        /// The maximum amount of unused memory that the pool of write buffers keeps, in bytes.
        public var pooledByteLimit: Int

        /// Whether creating the loop makes the whole process ignore SIGPIPE, unless the program has installed a
        /// handler.
        ///
        /// libuv writes without `MSG_NOSIGNAL`. Therefore a peer that resets its connection terminates the process if
        /// SIGPIPE is not ignored. Set this property to `false` only if the program handles the signal itself.
        public var ignoresSIGPIPE: Bool

        /// Makes a configuration.
        ///
        /// The defaults are suitable for a server.
        public init(
            readBufferSize: Int = 128 * 1024, pooledByteLimit: Int = 8 * 1024 * 1024, ignoresSIGPIPE: Bool = true
        ) {
            self.readBufferSize = readBufferSize
            self.pooledByteLimit = pooledByteLimit
            self.ignoresSIGPIPE = ignoresSIGPIPE
        }
    }

    /// The condition on which `run` returns (`uv_run_mode`).
    public enum RunMode: Sendable {
        /// `run` returns when no handle or request is active, or after `stop`.
        case `default`
        /// `run` waits for I/O, and returns after one iteration.
        case once
        /// `run` does not wait for I/O, and returns after one iteration.
        case noWait
    }
}
