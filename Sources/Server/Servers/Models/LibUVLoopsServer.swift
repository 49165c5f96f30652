internal import LibUV

// A libuv loop for each processor, each on a thread of its own with a listener of its own on the same port
// (`SO_REUSEPORT`): the kernel deals new clients out by a hash of their addresses, and a client stays with its
// loop. Nothing is shared while messages are served, so that the loops scale as the processors do. The model
// breaks where clients are unequal: the kernel knows nothing of load, and a loop that has drawn the busy clients
// is not helped by the others. A process of several threads also pays, in each system call of libuv, for glibc's
// cancellation points.

extension ServerModel {
    /// A libuv loop for each processor.
    public static let libuvLoops = ServerModel(
        name: "libuv-loops", summary: "a libuv loop and a listener (SO_REUSEPORT) for each processor",
        sources: .loops("LibUVLoopsServer")
    ) {
        LoopServer(configuration: $0, loopCount: $0.loops ?? UVSystem.availableParallelism, logger: $1) {
            WritePath.queued
        }
    }
}
