import Logging
import Servers
import SocketAddresses
import SystemCalls
import Terminal

/// What a service manager such as systemd hands to the program, and what it is told.
struct ServiceManagement {
    /// The socket to serve at, in place of one for `--host` and `--port`.
    let socket: InheritedSocket?

    private let notifier: ServiceNotifier?
    private let watchdog: Watchdog?
    private let logger: Logger

    /// Reads the environment.
    ///
    /// What concerns notifications only warns where it is wrong: the server serves without them.
    ///
    /// - Throws: `ProgramFailure` where sockets are handed over that cannot be served at.
    init(environment: [String: String], process: Int32, logger: Logger) throws {
        self.logger = logger
        notifier = ServiceManagement.notifier(environment, logger)
        watchdog = notifier == nil ? nil : ServiceManagement.watchdog(environment, process, logger)
        socket = try ServiceManagement.socket(environment, process)
    }

    private static func notifier(_ environment: [String: String], _ logger: Logger) -> ServiceNotifier? {
        do {
            return try NotifySocketName(environment: environment).map { try ServiceNotifier(to: $0) }
        } catch {
            logger.warning("the service manager is told nothing", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private static func watchdog(_ environment: [String: String], _ process: Int32, _ logger: Logger) -> Watchdog? {
        do { return try Watchdog(environment: environment, process: process) } catch {
            logger.warning("the service manager's watchdog gets no sign of life", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private static func socket(_ environment: [String: String], _ process: Int32) throws -> InheritedSocket? {
        let sockets: [InheritedSocket]
        do { sockets = try InheritedSocket.take(from: environment, process: process) } catch {
            throw ProgramFailure(message: "the service manager's sockets: \(error)")
        }
        guard sockets.count > 1 else { return sockets.first }
        throw ProgramFailure(
            message: """
                the service manager hands over \(sockets.count) sockets \
                (\(sockets.map { "\($0.address)" }.joined(separator: ", "))), and one is served; \
                leave one ListenStream= in the .socket file, or add an .socket and a .service file for each
                """)
    }

    /// Says that options are not used, where a socket makes them moot.
    ///
    /// - Parameter given: which of the options are given.
    func noteUnused(_ given: [String]) {
        guard let socket, !given.isEmpty else { return }
        logger.notice(
            "a socket was handed over: options are not used",
            metadata: ["address": "\(socket.address)", "unused": "\(given.joined(separator: " "))"])
    }

    /// What to give while the server runs; `nil` where no watchdog waits for it.
    var heartbeat: Heartbeat? {
        guard let notifier, let watchdog else { return nil }
        // One that is lost is made good by the next: there are two for each timeout.
        return Heartbeat(every: watchdog.interval) { _ = try? notifier.send(.alive) }
    }

    /// Tells that the server serves, and where.
    func tellReady(_ status: String) {
        guard let notifier else { return }
        do {
            if try notifier.send(.ready) == .wouldBlock { ServiceManagement.insist(notifier, logger) }
            try notifier.send(.status(status))
        } catch {
            logger.warning("the service manager does not hear that the server serves", metadata: ["error": "\(error)"])
        }
    }

    /// Tells it from another thread, as soon as the manager's queue has room: without it the manager would stop the program.
    private static func insist(_ notifier: ServiceNotifier, _ logger: Logger) {
        logger.warning("the service manager's queue is full: trying again")
        _ = try? PosixThread {
            for _ in 0..<600 {
                PosixThread.sleep(.milliseconds(100))
                if (try? notifier.send(.ready)) != .wouldBlock { return }
            }
        }
    }

    /// Tells that the program stops; callable in a signal handler.
    func tellStopping() { _ = try? notifier?.send(.stopping) }
}
