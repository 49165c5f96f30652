extension UVProcess {
    /// How the process ends, or has ended; to be awaited on the loop, by any number of tasks.
    ///
    /// A task that is cancelled leaves the process to itself, and only stops waiting: kill the process where it is not
    /// to go on.
    ///
    /// - Throws: `cancelled` where the task is cancelled, or the handle is closed before the process ends.
    nonisolated(nonsending) public var exitStatus: Termination {
        get async throws(UVError) {
            if let termination { return termination }
            if isClosing { throw UVError(.cancelled, operation: "uv_spawn") }
            return try await loop.waitFor("uv_spawn") { operation in
                tell(operation)
                return nil
            }
        }
    }
}
