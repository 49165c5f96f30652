internal import LibUV
public import SocketAddresses
public import SystemCalls

/// An HTTP server for operators, which has its own thread and its own event loop.
///
/// The server serves requests from its initialization until `stop`. Its thread blocks no signals, so signal handlers
/// may run on this thread.
public final class AdminServer: Sendable {
    /// The address that the server listens on.
    ///
    /// If port 0 was requested, the address contains the port that the kernel chose.
    public let address: SocketAddress

    private let stopper: AdminLoop.Stopper
    private let threads = ThreadGroup()

    /// Binds to an address, listens, and starts the thread.
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
        } catch { throw SystemCallError(code: error.systemCode ?? error.code.rawValue, call: error.operation) }
        stopper = loop.stopper
        do throws(SystemCallError) { try threads.start { loop.run() } } catch {
            loop.abandon()
            throw error
        }
    }

    /// Stops the server.
    ///
    /// A connection that has no response yet closes immediately. Every other connection closes when its client closes
    /// it, or at the end of the grace period.
    ///
    /// Any thread and any signal handler may call this function, any number of times. It takes no lock and allocates no
    /// memory.
    public func stop() { stopper.stop() }

    /// Waits until all connections have closed and the thread has ended.
    ///
    /// Call this function once, after `stop`. Do not call it in a signal handler.
    public func join() { threads.joinAll() }
}
