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
        await #expect(processExitsWith: .success) {
            // A thread of the test library can also open a descriptor for a moment.
            let isCounted = try (0..<20).contains { _ in try Self.openAndCount() == 21 }
            #expect(isCounted)
        }
    }

    /// Opens a listener and 20 clients, and returns how many more descriptors are counted.
    private static func openAndCount() throws -> Int {
        let before = try #require(try ProcessResources.current().openDescriptorCount)
        let limit = try ProcessResources.current().descriptorLimit
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 255, isNonBlocking: false)
        let address = try listener.localAddress
        let numbers = try (0..<20).map { _ in try StreamSocket.connect(to: address).release() }
        let after = try #require(try ProcessResources.current().openDescriptorCount)
        for number in numbers { StreamSocket.close(number) }
        #expect(limit == (try DescriptorLimit.current().soft))
        return after - before
    }

    @Test func theResourcesAgreeWithTheKernel() throws {
        let resources = try ProcessResources.current()
        let figures = try ProcessUsage(of: ProcessUsage.ownIdentifier)
        #expect(abs(resources.residentBytes - figures.residentBytes) < 64 << 20)
        #expect(resources.virtualBytes >= resources.residentBytes)
        #expect(resources.processorTime > .zero)
    }
}
