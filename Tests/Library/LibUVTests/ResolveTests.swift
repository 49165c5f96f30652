import Foundation
import LibUV
import Testing

/// Tests of resolving names and addresses.
///
/// The tests use numeric addresses and names of this host. docs/behaviours.md lists the pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct ResolveTests {
    @Test func digitsResolveToTheirAddressWithThePort() throws {
        try withLoop { loop in
            var resolutions: [UVAddressInfo] = []
            for node in ["127.0.0.1", "::1"] {
                try loop.resolve(node, service: "8080", options: [.numericNode, .numericService]) { result in
                    if let resolution = try? result.get() { resolutions.append(resolution) }
                    #expect(loop.isOnThread)
                }
            }
            #expect(resolutions.isEmpty)
            try loop.run()
            #expect(
                Set(resolutions.flatMap(\.addresses))
                    == [.loopback(port: 8080), try SocketAddress(parsing: "[::1]:8080")])
            #expect(resolutions.allSatisfy { $0.canonicalName == nil })
        }
    }

    @Test func aNameOfThisMachineResolves() throws {
        try withLoop { loop in
            var addresses: [SocketAddress] = []
            try loop.resolve("localhost", family: .ipv4, options: .canonicalName) { result in
                let resolution = try? result.get()
                addresses = resolution?.addresses ?? []
                #expect(resolution?.canonicalName == "localhost")
            }
            try loop.run()
            #expect(addresses == [.loopback(port: 0)])
        }
    }

    @Test func eachAddressIsListedOnceWhateverTheSocketType() throws {
        try withLoop { loop in
            var addresses: [[SocketAddress]] = []
            for type in [nil, UVAddressInfo.SocketType.stream, .datagram] {
                try loop.resolve("127.0.0.1", service: "80", socketType: type) { result in
                    addresses.append((try? result.get())?.addresses ?? [])
                }
            }
            try loop.run()
            #expect(addresses == Array(repeating: [.loopback(port: 80)], count: 3))
        }
    }

    @Test func withoutANodeItIsThisMachineToConnectToOrToListenOn() throws {
        try withLoop { loop in
            var addresses: [SocketAddress] = []
            try loop.resolve(nil, service: "80", family: .ipv4) { addresses += (try? $0.get())?.addresses ?? [] }
            try loop.run()
            try loop.resolve(nil, service: "80", family: .ipv4, options: .passive) { result in
                addresses += (try? result.get())?.addresses ?? []
            }
            try loop.run()
            #expect(addresses == [.loopback(port: 80), .any(port: 80)])
        }
    }

    @Test func aMappedAddressServesWhoAskedForTheOtherFamily() throws {
        try withLoop { loop in
            var addresses: [SocketAddress] = []
            try loop.resolve("127.0.0.1", family: .ipv6, options: [.numericNode, .mappedIPv4]) { result in
                addresses = (try? result.get())?.addresses ?? []
            }
            try loop.run()
            #expect(addresses == [try SocketAddress(parsing: "::ffff:127.0.0.1", port: 0)])
        }
    }

    /// Each failure of the resolver has its own error code.
    @Test func failuresOfTheResolverAreTold() throws {
        try withLoop { loop in
            var failures: [String: UVError] = [:]
            try loop.resolve("no address", options: .numericNode) { failures["node"] = $0.failure }
            try loop.resolve("127.0.0.1", service: "no-such-service") { failures["service"] = $0.failure }
            try loop.resolve("::1", family: .ipv4, options: .numericNode) { failures["family"] = $0.failure }
            try loop.run()
            #expect(failures["node"]?.code == .nameNotFound)
            #expect(failures["service"]?.code == .serviceNotFound)
            #expect(failures["family"]?.code == .noAddressOfFamily)
            #expect(failures["node"]?.operation == "uv_getaddrinfo")
            #expect(failures["node"]?.systemCode == nil)
        }
    }

    /// Pitfall 9: a request that is rejected at once never completes.
    ///
    /// In C, a zero byte would end the name, and the resolver would look up a shorter name.
    @Test func whatIsNoNameIsRefusedAtOnce() throws {
        try withLoop { loop in
            let invalid = UVError(.invalidArgument, operation: "uv_getaddrinfo")
            for (node, service) in [(nil, nil), ("localhost\0.example", nil), ("localhost", "80\0")]
                as [(String?, String?)]
            {
                #expect(throws: invalid) {
                    try loop.resolve(node, service: service) { _ in Issue.record("completed") }
                }
            }
            let unknownZone = try SocketAddress(parsing: "fe80::1%nowhere", port: 1)
            #expect(throws: UVError.self) { try loop.resolveName(of: unknownZone) { _ in Issue.record("completed") } }
            #expect(try !loop.run())
        }
    }

    /// A name that is too long is rejected.
    ///
    /// libuv before 1.48 would truncate the name, and resolve the truncated name.
    @Test func aNameThatIsTooLongIsRefused() throws {
        try withLoop { loop in
            let invalid = UVError(.invalidArgument, operation: "uv_getaddrinfo")
            let digits = "127.0.0.1"
            for name in [String(repeating: "a", count: 256), String(repeating: "ü.", count: 64) + digits] {
                #expect(throws: invalid) { try loop.resolve(name) { _ in Issue.record("completed") } }
            }
            var failures = 0
            for name in [String(repeating: "a", count: 255), String(repeating: "ü", count: 30)] {
                try loop.resolve(name, options: .numericNode) { failures += $0.failure == nil ? 0 : 1 }
            }
            try loop.run()
            #expect(failures == 2)
        }
    }

    @Test func anAddressInDigitsIsNamedByItsDigits() throws {
        try withLoop { loop in
            var names: [UVHostName] = []
            for address in [SocketAddress.loopback(port: 80), try SocketAddress(parsing: "[::1]:443")] {
                try loop.resolveName(of: address, options: [.numericHost, .numericService]) { result in
                    if let name = try? result.get() { names.append(name) }
                }
            }
            try loop.run()
            #expect(Set(names.map(\.host)) == ["127.0.0.1", "::1"])
            #expect(Set(names.map(\.service)) == ["80", "443"])
        }
    }

    /// A zone may be the name or the number of an interface.
    ///
    /// libuv itself accepts only the name of an interface.
    @Test func aZoneIsFoundByNameAndByNumber() throws {
        try withLoop { loop in
            var hosts: [String] = []
            for zone in ["lo", "1"] {
                let address = try SocketAddress(parsing: "fe80::1%\(zone)", port: 1)
                try loop.resolveName(of: address, options: [.numericHost, .numericService]) { result in
                    hosts.append((try? result.get())?.host ?? "")
                }
            }
            try loop.run()
            #expect(hosts == ["fe80::1%lo", "fe80::1%lo"])
        }
    }

    @Test func aNameMayBeRequired() throws {
        try withLoop { loop in
            var failure: UVError?
            // The lookup fails, because this address is reserved for documentation and has no name.
            try loop.resolveName(of: SocketAddress(parsing: "192.0.2.1:80"), options: [.requiresName, .numericHost]) {
                failure = $0.failure
            }
            try loop.run()
            #expect(failure?.operation == "uv_getnameinfo")
        }
    }

    /// Pitfall 46: the library frees each list of addresses.
    ///
    /// Runs in its own process, in which no other test allocates memory.
    ///
    /// Promise of the article "Coming from libuv in C".
    @Test(.enabled(if: !isSanitized, "a sanitizer does not return freed memory"))
    func resolvingAgainAndAgainTakesNoMemory() async {
        await #expect(processExitsWith: .success) {
            try withLoop { loop in
                let resolve = { (rounds: Int) in
                    for _ in 0..<rounds {
                        for index in 0..<50 {
                            let request = try loop.resolve("127.0.0.1", service: "80", options: .canonicalName) { _ in }
                            if index % 4 == 0 { try? request.cancel() }
                        }
                        try loop.run()
                    }
                }
                try resolve(100)
                let before = try UVCurrentProcess.residentByteCount
                try resolve(600)
                // A list with a name takes about 100 bytes, so 30 000 leaked lists would take three megabytes.
                #expect(try UVCurrentProcess.residentByteCount < before + (1 << 20))
            }
        }
    }

    @Test func everyResolutionCompletesOnceWhetherTakenOrCancelled() throws {
        try withLoop { loop in
            var (resolved, cancelled) = (0, 0)
            for index in 0..<64 {
                let request = try loop.resolve("127.0.0.1", service: "80", options: .canonicalName) { result in
                    switch result {
                    case .success: resolved += 1
                    case .failure(let error): cancelled += error.code == .cancelled ? 1 : 0
                    }
                }
                if index % 2 == 0 { try? request.cancel() }
            }
            try loop.run()
            #expect(resolved >= 32)
            #expect(resolved + cancelled == 64)
        }
    }
}
