internal import LibUV
public import SocketAddresses
internal import SystemCalls

/// Answers an operator's questions over HTTP, on a thread and a loop of its own.
///
/// It serves from its making on until `stop`, whatever the thread that made it does meanwhile. It blocks no signal: a
/// handler may run on its thread, too.
public final class AdminServer: Sendable {
    /// Where it listens, with the port that was picked for port 0.
    public let address: SocketAddress

    private let stopper: AdminService.Stopper
    private let threads = ThreadGroup()

    /// Binds, listens, and starts the thread.
    ///
    /// - Throws: what failed, as `EADDRINUSE`; nothing is left open then.
    public init(
        at address: SocketAddress, answers: AdminAnswers, limits: AdminLimits = AdminLimits()
    ) throws(AdminError) {
        let service: AdminService
        do throws(UVError) {
            service = try AdminService(answers: answers, limits: limits)
            do throws(UVError) { self.address = try service.start(at: address) } catch {
                service.abandon()
                throw error
            }
        } catch { throw AdminError(error, address: address) }
        stopper = service.stopper
        do throws(SystemCallError) { try threads.start { service.run() } } catch {
            service.abandon()
            throw AdminError(error, address: address)
        }
    }

    /// Stops: nobody is accepted any more, whoever has asked nothing yet is closed, and answers under way are sent for as
    /// long as the limits let them.
    ///
    /// Callable from any thread, any number of times, and in a signal handler: it takes no lock and allocates nothing.
    public func stop() { stopper.stop() }

    /// Waits until all is closed, and its thread has ended; called once, after `stop`, and not in a handler.
    public func join() { threads.joinAll() }
}
