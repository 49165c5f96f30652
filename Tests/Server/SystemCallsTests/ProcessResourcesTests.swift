import SocketAddresses
import SystemCalls
import Testing

@Suite struct ProcessResourcesTests {
    @Test func theStartTimeIsPlausible() throws {
        let start = try ProcessResources.current().startTime
        #expect(start <= WallClock.secondsSince1970 + 1)
        #expect(start > WallClock.secondsSince1970 - 86_400)
    }

    @Test func openDescriptorsAreCounted() async {
        // Runs in its own process, because other tests open and close descriptors at the same time.
        await #expect(processExitsWith: .success) { try Self.openAndCount() }
    }

    private static func openAndCount() throws {
        let before = try #require(try ProcessResources.current().openDescriptorCount)
        let limit = try ProcessResources.current().descriptorLimit
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 255, isNonBlocking: false)
        let address = try listener.localAddress
        let numbers = try (0..<20).map { _ in try StreamSocket.connect(to: address).release() }
        let after = try #require(try ProcessResources.current().openDescriptorCount)
        for number in numbers { StreamSocket.close(number) }
        // The process has opened 20 clients and the listener.
        #expect(after - before == 21)
        #expect(limit == (try DescriptorLimit.current().soft))
    }

    @Test func theResourcesAgreeWithTheKernel() throws {
        let resources = try ProcessResources.current()
        let figures = try ProcessUsage(of: ProcessUsage.ownIdentifier)
        #expect(abs(resources.residentBytes - figures.residentBytes) < 64 << 20)
        #expect(resources.virtualBytes >= resources.residentBytes)
        #expect(resources.processorTime > .zero)
    }
}
