import SocketAddresses
import SystemCalls
import Testing

@Suite struct ProcessResourcesTests {
    @Test func theStartTimeIsPlausible() throws {
        let start = try ProcessResources.current().startTime
        #expect(start <= WallClock.secondsSince1970 + 1)
        #expect(start > WallClock.secondsSince1970 - 86_400)
    }

    @Test func openDescriptorsAreCounted() throws {
        let before = try #require(try ProcessResources.current().openDescriptorCount)
        let limit = try ProcessResources.current().descriptorLimit
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 255, isNonBlocking: false)
        let address = try listener.localAddress
        // Other tests open and close descriptors in the meantime, but fewer than these.
        let numbers = try (0..<200).map { _ in try StreamSocket.connect(to: address).release() }
        let after = try #require(try ProcessResources.current().openDescriptorCount)
        for number in numbers { StreamSocket.close(number) }
        #expect(after - before > 100)
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
