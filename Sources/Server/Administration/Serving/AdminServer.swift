internal import LibUV
public import SocketAddresses
public import SystemCalls

/// An HTTP server for operators, with a thread and a loop of its own.
///
/// It serves from its initialization until `stop`. Its thread blocks no signals, so a signal handler may run there.
public final class AdminServer: Sendable {
    /// The address that it listens on, with the actual port if port 0 was requested.
    public let address: SocketAddress

    private let stopper: AdminLoop.Stopper
    private let threads = ThreadGroup()

    /// Binds, listens and starts the thread.
    ///
    /// - Throws: the error of the call that failed, for example `EADDRINUSE`.
    public init(
        at address: SocketAddress, routes: AdminRoutes, limits: AdminLimits = AdminLimits()
    ) throws(SystemCallError) {
        let loop: AdminLoop
        do throws(UVError) {
            loop = try AdminLoop(routes: routes, limits: limits)
            do throws(UVError) { self.address = try loop.listen(on: address) } catch {
                loop.abandon()
                throw error
            }
        } catch { throw SystemCallError(code: error.systemCode ?? error.code, call: error.operation) }
        stopper = loop.stopper
        do throws(SystemCallError) { try threads.start { loop.run() } } catch {
            loop.abandon()
            throw error
        }
    }

    /// Stops the server: it closes connections without a response immediately, and the others after the grace period.
    ///
    /// Any thread and any signal handler may call it, any number of times. It takes no lock and allocates no memory.
    public func stop() { stopper.stop() }

    /// Waits until all connections have closed and the thread has ended.
    ///
    /// Call it once, after `stop`, and not in a signal handler.
    public func join() { threads.joinAll() }
}
