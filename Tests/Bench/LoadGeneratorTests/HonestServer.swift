import Logging
import Servers
import SocketAddresses
import SystemCalls
import Testing

/// A correct server, which runs on its own thread and stops when this object is released.
final class HonestServer: Sendable {
    let address: SocketAddress
    private let server: any Server
    private let threads = ThreadGroup()

    init(_ model: String = "epoll") throws {
        var configuration = ServerConfiguration(address: .loopback(port: 0))
        configuration.drainTimeout = .milliseconds(200)
        let server = try #require(ServerModels.named(model)).makeServer(
            configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        self.server = server
        address = try server.start()
        try threads.start { _ = try? server.run() }
    }

    deinit {
        server.stop()
        server.stop()
        threads.joinAll()
    }
}
