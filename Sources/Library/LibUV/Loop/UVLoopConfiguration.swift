extension UVLoop {
    /// What a loop is made with.
    public struct Configuration: Sendable {
        /// The size of the loop's one read buffer, in bytes: the most that one read callback lends.
        public var readBufferSize: Int

        /// The most memory that the pool of write buffers keeps while nobody uses it, in bytes.
        public var pooledByteLimit: Int

        /// Whether making the loop sets SIGPIPE to be ignored in the whole process, unless a handler is set.
        ///
        /// libuv writes without `MSG_NOSIGNAL`: where SIGPIPE is not ignored, one peer's reset ends the process.
        /// Set this to false only where the program itself deals with the signal.
        public var ignoresSIGPIPE: Bool

        /// Makes a configuration; the defaults suit a server.
        public init(
            readBufferSize: Int = 128 * 1024, pooledByteLimit: Int = 8 * 1024 * 1024, ignoresSIGPIPE: Bool = true
        ) {
            self.readBufferSize = readBufferSize
            self.pooledByteLimit = pooledByteLimit
            self.ignoresSIGPIPE = ignoresSIGPIPE
        }
    }

    /// How `run` ends by itself (`uv_run_mode`).
    public enum RunMode: Sendable {
        /// Until no handle or request is active, or `stop`.
        case `default`
        /// After one round of I/O, for which it waits.
        case once
        /// After one round of I/O, without waiting.
        case noWait
    }
}
