import Logging
import Servers
import SocketAddresses

@main
struct UVServer {
    static func main() throws {
        let args = CommandLine.arguments
        let address = try SocketAddress(parsing: "127.0.0.1", port: UInt16(args[2]) ?? 0)
        let logger = Logger(label: "x")
        guard let type = ServerModels.named(args[1]) else { print("?"); return }
        let server = type.init(configuration: .init(address: address), logger: logger)
        print(try server.start())
        print(try server.run())
    }
}
