/// An actor whose code runs on a loop's thread, where it can use the loop's handles.
///
/// A conforming actor only has to declare its loop: `actor Room: UVActor { nonisolated let loop: UVLoop }`. In a
/// callback of the loop, `assumeIsolated` gives access to the actor's state without suspending.
public protocol UVActor: Actor {
    /// The loop on whose thread the actor's code runs. It must not change.
    nonisolated var loop: UVLoop { get }
}

extension UVActor {
    /// The loop as the executor of the actor.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
}
