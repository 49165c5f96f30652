/// An actor that runs on a loop: its state belongs to the loop's thread, as the loop's handles do.
///
/// An actor that conforms declares its loop, and nothing else: `actor Room: UVActor { nonisolated let loop: UVLoop }`.
/// In a callback of the loop, `assumeIsolated` reaches its state without waiting.
public protocol UVActor: Actor {
    /// The loop whose thread the actor's code runs on; the same at all times.
    nonisolated var loop: UVLoop { get }
}

extension UVActor {
    /// The loop, as the actor's executor.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
}
