import Administration
import ArgumentParser
import LibUV
import Logging
import Servers
import SocketAddresses
import SystemCalls
import Terminal

/// `uvserver serve`: runs one server until a signal stops it.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the protocol until SIGINT, SIGTERM or SIGHUP.",
        discussion: """
            Prints one line, 'listening on ADDRESS:PORT (MODEL)', when it starts to accept connections. The first \
            signal starts a graceful shutdown: the server stops listening, allows open messages to finish, replies to \
            all bytes that it has received, and exits with code 0. A second SIGINT or SIGTERM closes all connections \
            immediately.

            Each option can also be set by an environment variable, for example UVSERVER_PORT=9191 or \
            UVSERVER_MAX_CONNECTIONS=1000. An option on the command line takes precedence.
            """)

    @Option(help: "Concurrency model. 'uvserver models' lists the models. [UVSERVER_MODEL]")
    var model = "libuv"

    @Option(help: "Address to listen on: an IPv4 or IPv6 address, or localhost. [UVSERVER_HOST]")
    var host = "127.0.0.1"

    @Option(help: "Port to listen on, 0 to 65535. Port 0 picks a free port. [UVSERVER_PORT]")
    var port = 9090

    @Option(
        help: """
            Number of connections that the kernel queues until the server accepts them, 1 to 65535. [UVSERVER_BACKLOG]
            """)
    var backlog = 4096

    @Option(
        help: """
            Limit on open connections, 1 or more. At the limit, the server accepts further connections and closes them \
            immediately. [UVSERVER_MAX_CONNECTIONS] (default: no limit)
            """)
    var maxConnections: Int?

    @Option(
        help: """
            Limit on buffered reply bytes per connection, 1024 or more. The server pauses reading above a high-water \
            mark, and resumes reading at half of the mark. The mark is the limit minus 128 KiB, but at least half of \
            the limit. The models sequential, threads and thread-pool buffer at most one reply instead. \
            The model io-uring can exceed the limit by bytes that the kernel has already received when reading pauses, \
            by default by up to 2 MiB. [UVSERVER_MAX_BUFFERED_BYTES]
            """)
    var maxBufferedBytes = 256 * 1024

    @Option(
        help: """
            Limit on buffered reply bytes across all connections, 1024 or more. The server closes a connection that \
            would exceed the limit. [UVSERVER_MAX_BUFFERED_TOTAL] (default: no limit)
            """)
    var maxBufferedTotal: Int?

    @Option(
        help: """
            Close a connection on which no bytes have moved in either direction for this long, for example 30s. \
            0 disables the timeout. [UVSERVER_IDLE_TIMEOUT] (default: no timeout)
            """)
    var idleTimeout: DurationArgument?

    @Option(
        help: """
            Close the connection of a client that has accepted no reply bytes for this long, for example 30s. 0 \
            disables the timeout. [UVSERVER_WRITE_TIMEOUT] (default: no timeout)
            """)
    var writeTimeout: DurationArgument?

    @Option(
        help: """
            Lowest rate at which a client may send an open message, in bytes per second, 1 or more. The server \
            averages the rate over five seconds, and closes the connections of slower clients. \
            [UVSERVER_MIN_READ_RATE] (default: no minimum)
            """)
    var minReadRate: Int?

    @Option(
        help: """
            Addresses of trusted proxies, for example 10.0.0.10,10.1.0.0/16. A trusted proxy must begin each \
            connection with a PROXY protocol header, version 2, from which the server reads the client's address. \
            [UVSERVER_PROXY_PROTOCOL] (default: none)
            """)
    var proxyProtocol: String?

    @Option(
        help: """
            Time from the first signal to the start of the drain, for example 5s. During this time /readyz fails, but \
            the server still accepts connections, so that a load balancer can remove the server first. \
            [UVSERVER_DRAIN_DELAY]
            """)
    var drainDelay = DurationArgument(.zero)

    @Option(
        help: """
            Timeout of the drain, for example 500ms, 5s or 1m. When it has passed, the server closes the connections \
            that are still open. [UVSERVER_DRAIN_TIMEOUT]
            """)
    var drainTimeout = DurationArgument(.seconds(5))

    @Option(
        help: """
            Number of threads of the model thread-pool, 1 to 10000. Each thread serves one client at a time. \
            [UVSERVER_THREADS]
            """)
    var threads = 32

    @Option(
        help: """
            Limit on clients that wait for a thread in the model thread-pool, 0 to 1000000. At the limit, the server \
            accepts further connections and closes them immediately. [UVSERVER_QUEUE]
            """)
    var queue = 1024

    @Option(
        help: """
            Number of loops of the model libuv-loops, 1 to 1024. [UVSERVER_LOOPS] (default: one for each processor \
            that the process may use)
            """)
    var loops: Int?

    @Option(
        help: """
            Address on which to serve /healthz, /readyz and /metrics over HTTP, as HOST:PORT. Use a loopback or \
            private address, because these pages have no access control. [UVSERVER_ADMIN] (default: none)
            """)
    var admin: String?

    @Option(
        help: """
            Lowest log level that is written: \(Logger.Level.allValueStrings.joined(separator: ", ")). \
            [UVSERVER_LOG_LEVEL]
            """)
    var logLevel = Logger.Level.notice

    @Option(help: "Format of the log, text or json. Each event is one line. [UVSERVER_LOG_FORMAT]")
    var logFormat = LogFormat.text

    func validate() throws {
        try ValidRange.check(port, 0...65535, "--port")
        try ValidRange.check(backlog, 1...65535, "--backlog")
        try ValidRange.check(maxBufferedBytes, 1024...(1 << 40), "--max-buffered-bytes")
        if let maxBufferedTotal { try ValidRange.check(maxBufferedTotal, 1024...(1 << 50), "--max-buffered-total") }
        if let minReadRate { try ValidRange.check(minReadRate, 1...(1 << 30), "--min-read-rate") }
        if let maxConnections { try ValidRange.check(maxConnections, 1...Int.max, "--max-connections") }
        try ValidRange.check(threads, 1...10_000, "--threads")
        try ValidRange.check(queue, 0...1_000_000, "--queue")
        if let loops { try ValidRange.check(loops, 1...1024, "--loops") }
        _ = try HostArgument.address(host, port: port, option: "--host")
        _ = try ServerModels.required(model)
        _ = try CIDRBlocksArgument.blocks(proxyProtocol, option: "--proxy-protocol")
        if let admin { _ = try ServerAddress.parse(admin, "--admin") }
    }

    func run() throws {
        LoggingSystem.bootstrap { [logFormat] in LineLogHandler(label: $0, format: logFormat) }
        Console.setDroppedLineNotice { [logFormat] count in
            LineLogHandler.droppedLineNotice(count, label: "uvserver", format: logFormat)
        }
        var logger = Logger(label: "uvserver")
        logger.logLevel = logLevel
        StopSignals.ignoreBrokenPipe()
        StopSignals.ignoreOthers()
        raiseDescriptorLimit(logger)

        let environment = try UVEnvironment.all
        let manager = try ServiceManagement(
            environment: environment, process: ProcessUsage.ownIdentifier, logger: logger)
        manager.logUnused(["host", "port"].filter { EnvironmentOptions.isGiven($0, environment) }.map { "--\($0)" })
        let address = try manager.socket?.address ?? HostArgument.address(host, port: port, option: "--host")
        let model = try ServerModels.required(self.model)
        var configuration = try self.configuration(at: address, manager)
        let requirements = try StartRequirements(
            model, threads: threads, loops: loops ?? UVSystem.availableParallelism, hasAdmin: admin != nil,
            hasTick: configuration.hasPeriodicWork)
        configuration.maxConnections = requirements.limit(maxConnections, logger)
        let server = model.makeServer(configuration: configuration, logger: logger)
        let state = ServingState()
        do {
            try AbortNotice.install(
                """
                uvserver: SIGABRT: a library has called abort(), or the service manager's watchdog has expired. libuv calls \
                abort() if a system call fails in it for lack of memory, descriptors or epoll watches \
                (fs.epoll.max_user_watches); see docs/faults.md

                """)
            // The handlers are installed before the server listens. Therefore a signal never terminates the process
            // before the connected clients are drained.
            try StopSignals.handle(
                delay: drainDelay.duration,
                announce: {
                    state.advance(to: .draining)
                    manager.notifyStopping()
                }, stop: { server.stop() })
            let administration = try admin.map {
                try AdminOption.start(
                    at: AdminOption.address($0, besides: address), of: server, model.name,
                    connectionLimit: requirements.adminConnectionLimit, in: state, logger: logger)
            }
            defer {
                state.advance(to: .stopped)
                administration?.stop()
                administration?.join()
            }
            let bound = try server.start()
            state.advance(to: .ready)
            announce("listening on \(bound) (\(model.name))", logger)
            manager.notifyReady("listening on \(bound) (\(model.name))")
            report(try server.run(), to: logger)
        } catch let error as ServerError {
            guard let address = error.address else { throw ProgramFailure(message: "the server failed: \(error)") }
            throw ProgramFailure(
                message: ListenAdvice.describe(
                    address, code: error.cause.code, error.cause.message, host: "--host", port: "--port"))
        }
    }

    /// Writes a line to standard output.
    ///
    /// A failure causes only a warning, because the server can serve nevertheless.
    private func announce(_ line: String, _ logger: Logger) {
        do throws(ProgramFailure) { try StandardOutput.announce(line + "\n") } catch {
            logger.warning("\(error.message)", metadata: ["line": "\(line)"])
        }
    }

    private func configuration(at address: SocketAddress, _ manager: ServiceManagement) throws -> ServerConfiguration {
        var configuration = ServerConfiguration(address: address)
        configuration.backlog = backlog
        configuration.maxConnections = maxConnections
        configuration.maxBufferedBytes = maxBufferedBytes
        configuration.maxBufferedTotal = maxBufferedTotal
        configuration.drainTimeout = drainTimeout.duration
        configuration.poolThreads = threads
        configuration.poolQueueLimit = queue
        configuration.loops = loops
        configuration.limits = ConnectionLimits(
            idleTimeout: idleTimeout?.positive, writeTimeout: writeTimeout?.positive, minReadRate: minReadRate)
        configuration.measures = admin != nil
        configuration.inheritedListener = manager.socket?.descriptor
        configuration.heartbeat = manager.heartbeat
        configuration.trustedProxies = try CIDRBlocksArgument.blocks(proxyProtocol, option: "--proxy-protocol")
        return configuration
    }

    private func report(_ metrics: ServerMetrics, to logger: Logger) {
        logger.notice(
            """
            stopped: \(metrics.acceptedConnections) connections served, \(metrics.rejectedConnectionCount) rejected; \
            \(metrics.receivedByteCount) bytes received, \(metrics.sentByteCount) sent
            """)
    }

    private func raiseDescriptorLimit(_ logger: Logger) {
        do {
            let (soft, hard) = try DescriptorLimit.current()
            guard soft < hard else { return }
            try DescriptorLimit.set(soft: hard)
            logger.debug("raised the limit on open descriptors", metadata: ["from": "\(soft)", "to": "\(hard)"])
        } catch {
            logger.warning("cannot raise the limit on open descriptors", metadata: ["error": "\(error)"])
        }
    }
}
