import Logging
import Servers
import SocketAddresses
import SystemCalls
import Terminal

/// The connection to a service manager, for example systemd: inherited sockets and notifications.
struct ServiceManagement {
    /// The inherited socket, or `nil` if there is none.
    ///
    /// An inherited socket replaces the options `--host` and `--port`.
    let socket: InheritedSocket?

    private let notifier: ServiceNotifier?
    private let watchdog: Watchdog?
    private let logger: Logger

    /// Reads the variables that a service manager has set in the environment.
    ///
    /// An invalid variable for notifications causes only a warning, because the server can serve without notifications.
    ///
    /// - Throws: `ProgramFailure` if the server cannot serve the inherited sockets.
    init(environment: [String: String], process: Int32, logger: Logger) throws {
        self.logger = logger
        let notifier = ServiceManagement.optional("cannot send notifications to the service manager", logger) {
            try ServiceNotifier(environment: environment)
        }
        self.notifier = notifier
        watchdog = ServiceManagement.optional("cannot send watchdog notifications to the service manager", logger) {
            notifier == nil ? nil : try Watchdog(environment: environment, process: process)
        }
        socket = try ServiceManagement.socket(environment, process)
    }

    /// Returns the result of `body`, or logs a warning and returns `nil` if `body` throws.
    private static func optional<Value>(
        _ warning: Logger.Message, _ logger: Logger, _ body: () throws -> Value?
    ) -> Value? {
        do { return try body() } catch {
            logger.warning(warning, metadata: ["error": "\(error)"])
            return nil
        }
    }

    private static func socket(_ environment: [String: String], _ process: Int32) throws -> InheritedSocket? {
        let sockets: [InheritedSocket]
        do { sockets = try InheritedSocket.take(from: environment, process: process) } catch {
            throw ProgramFailure(message: "cannot use the service manager's sockets: \(error)")
        }
        guard sockets.count > 1 else { return sockets.first }
        throw ProgramFailure(
            message: """
                the service manager has passed \(sockets.count) sockets \
                (\(sockets.map { "\($0.address)" }.joined(separator: ", "))), but the server can serve only one; \
                use one ListenStream= in the .socket file, or a .socket and a .service file for each address
                """)
    }

    /// Logs which of the given options have no effect, because an inherited socket replaces them.
    func logUnused(_ given: [String]) {
        guard let socket, !given.isEmpty else { return }
        logger.notice(
            "options have no effect, because an inherited socket replaces them",
            metadata: ["address": "\(socket.address)", "unused": "\(given.joined(separator: " "))"])
    }

    /// The heartbeat for the watchdog, or `nil` if no watchdog is configured.
    var heartbeat: Heartbeat? {
        guard let notifier, let watchdog else { return nil }
        // The interval is half of the timeout, so the manager tolerates the loss of one notification.
        return Heartbeat(every: watchdog.interval) { _ = try? notifier.send(.alive) }
    }

    /// Notifies the manager that the server serves clients.
    func notifyReady(_ status: String) {
        guard let notifier else { return }
        do {
            if try !notifier.send(.ready) { ServiceManagement.retryReady(notifier, logger) }
            try notifier.send(.status(status))
        } catch {
            logger.warning("cannot send READY=1 to the service manager", metadata: ["error": "\(error)"])
        }
    }

    /// Repeats the notification `READY=1` on another thread until the manager's queue has room, for about a minute at
    /// most.
    ///
    /// Without the retries, systemd would never consider the server ready, and would stop it.
    private static func retryReady(_ notifier: ServiceNotifier, _ logger: Logger) {
        logger.warning("the service manager's queue is full; retrying READY=1")
        _ = try? PosixThread {
            for _ in 0..<600 {
                PosixThread.sleep(.milliseconds(100))
                // The retries also end if sending fails, for example because the manager has ended.
                if (try? notifier.send(.ready)) != false { return }
            }
        }
    }

    /// Notifies the manager that the program has begun to stop.
    ///
    /// A signal handler may call this function.
    func notifyStopping() { _ = try? notifier?.send(.stopping) }
}
