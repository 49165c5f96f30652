// The libuv server with a second write path: an answer is first offered to the kernel with `uv_try_write`, and
// only what the kernel does not take at once goes through `uv_write`. That saves, on libuv 1.44, one `epoll_ctl`
// for each message. It breaks where `libuv` does; and a client whose socket is always full gains nothing.

extension ServerModel {
    /// One libuv loop, `uv_try_write` before `uv_write`.
    public static let libuvEager = ServerModel(
        name: "libuv-eager", summary: "the same, uv_try_write first and uv_write for the rest",
        sources: .loops("LibUVEagerServer")
    ) { LoopServer(configuration: $0, loopCount: 1, logger: $1) { WritePath.eager } }
}
