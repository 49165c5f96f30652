import SocketAddresses
import Testing

@testable import Comparison

/// Tests of the parser of servers on the command line.
@Suite struct ServerSpecificationTests {
    @Test(arguments: [
        ("epoll", "epoll", ServerSpecification.Source.model("epoll")),
        ("mine=127.0.0.1:9090", "mine", .address(.loopback(port: 9090))),
        ("mine=localhost:1", "mine", .address(.loopback(port: 1))),
        ("c=./server {port} --fast", "c", .command("./server {port} --fast")),
        ("c=A=1 ./server {port}", "c", .command("A=1 ./server {port}")),
    ])
    func aServerIsParsed(_ text: String, _ name: String, _ source: ServerSpecification.Source) throws {
        let specification = try ServerSpecification(parsing: text)
        #expect(specification.name == name)
        #expect(specification.source == source)
    }

    @Test(arguments: [
        ("libvu", "did you mean 'libuv'?"), ("", "unknown model"), ("=127.0.0.1:1", "has no name"),
        ("mine=127.0.0.1", "neither HOST:PORT nor a command"), ("mine=./server", "neither HOST:PORT nor a command"),
    ])
    func anInvalidServerIsReported(_ text: String, _ reason: String) {
        let error = #expect(throws: ComparisonError.self) { try ServerSpecification(parsing: text) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
}
