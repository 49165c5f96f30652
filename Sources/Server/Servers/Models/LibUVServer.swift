// One thread, one libuv loop, any number of clients. libuv waits for all sockets at once, and calls back when
// one can be read; the protocol handler computes the answer into a buffer of the loop's pool and gives it to
// `uv_write`, which tells later when the buffer is free again. Nothing blocks, so a slow client costs memory and
// no time. The model breaks where one answer takes long to compute, since every client waits for it, and at the
// speed of one processor; on libuv 1.44 each write costs a system call more than the message itself needs.

extension ServerModel {
    /// One libuv loop, every answer through `uv_write`.
    public static let libuv = ServerModel(
        name: "libuv", summary: "one thread, a libuv loop, every answer through uv_write",
        sources: .loops("LibUVServer")
    ) { LoopServer(configuration: $0, loopCount: 1, logger: $1) { WritePath.queued } }
}
