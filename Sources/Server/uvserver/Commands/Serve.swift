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
        abstract: "Serve the protocol until SIGINT or SIGTERM.",
        discussion: """
            Prints one line, 'listening on ADDRESS:PORT (MODEL)', once it accepts connections. The first signal \
            drains: no client is accepted, messages that are open are let end, what has come is answered, and the \
            program ends with exit code 0. A second signal closes everything at once.

            Each option can also be given in the environment, as UVSERVER_PORT=9191 or \
            UVSERVER_MAX_CONNECTIONS=1000: the option's name in capitals, with underscores. The option wins.
            """)

    @Option(help: "The concurrency model; see 'uvserver models'. [UVSERVER_MODEL]")
    var model = "libuv"

    @Option(help: "The address to listen on: IPv4, IPv6, or localhost. [UVSERVER_HOST]")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on, 0 to 65535; 0 picks a free one. [UVSERVER_PORT]")
    var port = 9090

    @Option(help: "How many connections the kernel keeps waiting, 1 to 65535. [UVSERVER_BACKLOG]")
    var backlog = 4096

    @Option(
        help:
            "How many clients are served at once; one beyond it is accepted and closed. [UVSERVER_MAX_CONNECTIONS] (default: no bound)"
    )
    var maxConnections: Int?

    @Option(
        help:
            "How many bytes of answers are held for a client that does not read, 1024 or more. [UVSERVER_MAX_BUFFERED_BYTES]"
    )
    var maxBufferedBytes = 256 * 1024

    @Option(
        help:
            "How many bytes of answers are held for all clients together; whose would be more, is ended. [UVSERVER_MAX_BUFFERED_TOTAL] (default: no bound)"
    )
    var maxBufferedTotal: Int?

    @Option(
        help:
            "How long nothing may come from a client nor go to it, before it is ended, as 30s; 0 for no bound. [UVSERVER_IDLE_TIMEOUT] (default: no bound)"
    )
    var idleTimeout: DurationArgument?

    @Option(
        help:
            "How long a client may take nothing of its answers, before it is ended; 0 for no bound. [UVSERVER_WRITE_TIMEOUT] (default: no bound)"
    )
    var writeTimeout: DurationArgument?

    @Option(
        help:
            "How many bytes a second a client must send while a message of its is open, on average over five seconds. [UVSERVER_MIN_READ_RATE] (default: none)"
    )
    var minReadRate: Int?

    @Option(
        help:
            "Take the client's address from a PROXY protocol header, version 2, on connections from these addresses, as 10.0.0.10,10.1.0.0/16: the balancers. [UVSERVER_PROXY_PROTOCOL] (default: from nobody)"
    )
    var proxyProtocol: String?

    @Option(
        help:
            "How long to go on as before after the first signal, so that a balancer notices that /readyz fails. [UVSERVER_DRAIN_DELAY]"
    )
    var drainDelay = DurationArgument(.zero)

    @Option(help: "How long a drain may take, as 500ms, 5s or 1m. [UVSERVER_DRAIN_TIMEOUT]")
    var drainTimeout = DurationArgument(.seconds(5))

    @Option(help: "thread-pool: how many threads, hence clients served at once, 1 to 10000. [UVSERVER_THREADS]")
    var threads = 32

    @Option(
        help:
            "thread-pool: how many clients wait for a thread, 0 to 1000000; one beyond is accepted and closed. [UVSERVER_QUEUE]"
    )
    var queue = 1024

    @Option(
        help:
            "libuv-loops: how many loops, 1 to 1024. [UVSERVER_LOOPS] (default: one for each processor this process may use)"
    )
    var loops: Int?

    @Option(
        help:
            "HOST:PORT to answer /healthz, /readyz and /metrics over HTTP: a loopback or private address, since whoever can connect may ask. [UVSERVER_ADMIN] (default: none)"
    )
    var admin: String?

    @Option(help: "What is logged: \(LogLevelArgument.allValueStrings.joined(separator: ", ")). [UVSERVER_LOG_LEVEL]")
    var logLevel = LogLevelArgument(level: .notice)

    @Option(help: "How it is logged, a line for each event: text, or json. [UVSERVER_LOG_FORMAT]")
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
        let logger = makeLogger()
        StopSignals.ignoreBrokenPipe()
        raiseDescriptorLimit(logger)

        let environment = try UVEnvironment.all
        let manager = try ServiceManagement(
            environment: environment, process: ProcessUsage.ownIdentifier, logger: logger)
        manager.logUnused(["host", "port"].filter { EnvironmentOptions.isGiven($0, environment) }.map { "--\($0)" })
        let address = try manager.socket?.address ?? HostArgument.address(host, port: port, option: "--host")
        let server = try ServerModels.required(model).makeServer(
            configuration: configuration(at: address, manager), logger: logger)
        let state = ServingState()
        do {
            // Before the first client can connect: a signal from here on ends what it began.
            try StopSignals.handle(
                delay: drainDelay.duration,
                announce: {
                    state.advance(to: .draining)
                    manager.notifyStopping()
                }, stop: { server.stop() })
            let administration = try admin.map {
                try AdminOption.start(
                    at: AdminOption.address($0, besides: address), of: server, model, in: state, logger: logger)
            }
            defer {
                state.advance(to: .stopped)
                administration?.stop()
                administration?.join()
            }
            let bound = try server.start()
            state.advance(to: .ready)
            Console.write("listening on \(bound) (\(model))\n")
            manager.notifyReady("listening on \(bound) (\(model))")
            report(try server.run(), to: logger)
        } catch let error as ServerError {
            guard let address = error.address else { throw ProgramFailure(message: "the server failed: \(error)") }
            throw ProgramFailure(
                message: ListenAdvice.describe(
                    address, code: error.code, error.message, host: "--host", port: "--port"))
        }
    }

    private func makeLogger() -> Logger {
        var logger = Logger(label: "uvserver")
        logger.logLevel = logLevel.level
        return logger
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
            logger.debug("raised the limit of open descriptors", metadata: ["from": "\(soft)", "to": "\(hard)"])
        } catch {
            logger.warning("the limit of open descriptors could not be raised", metadata: ["error": "\(error)"])
        }
    }
}
