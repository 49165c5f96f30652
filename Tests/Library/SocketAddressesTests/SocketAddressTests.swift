import SocketAddresses
import Testing

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::0001", "2001:db8::1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("fe80::1%eth0", "fe80::1%eth0"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ])
    func printsCanonically(_ text: String, _ canonical: String) throws {
        #expect(try "\(IPAddress(parsing: text))" == canonical)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "+1.2.3.4", "1.2.3.-4", "1..2.3", "a.b.c.d", " 1.2.3.4",
        ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1.2.3", "1.2.3.4::", "::-1",
        "::1%", "::1%a%b", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "\u{0}", "：：1", "fe80::1%0123456789abcdef",
    ])
    func refuses(_ text: String) {
        #expect(throws: SocketAddressError.self) { try IPAddress(parsing: text) }
    }

    @Test func everyAddressSurvivesPrintingAndParsing() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let v4 = IPAddress.v4(.random(in: 0 ... .max, using: &generator))
            #expect(try IPAddress(parsing: "\(v4)") == v4)
            // Each of the eight groups is zero in about half of the addresses.
            var bits: UInt128 = 0
            for _ in 0..<8 { bits = bits << 16 | (Bool.random() ? 0 : UInt128(UInt16.random(in: 0 ... .max))) }
            let v6 = IPAddress.v6(bits, zone: nil)
            #expect(try IPAddress(parsing: "\(v6)") == v6)
        }
    }

    @Test func nothingTrapsOnRandomText() {
        let letters = Array("0123456789abcdef:.%[]-+ ")
        for _ in 0..<5000 {
            let text = String((0..<Int.random(in: 0...24)).map { _ in letters.randomElement() ?? "0" })
            _ = try? IPAddress(parsing: text)
            _ = try? SocketAddress(parsing: text)
        }
    }
}

@Suite struct SocketAddressTests {
    @Test func parsesAndPrintsWithPort() throws {
        #expect(try SocketAddress(parsing: "127.0.0.1:9090") == .loopback(port: 9090))
        #expect(try "\(SocketAddress(parsing: "[::1]:80"))" == "[::1]:80")
        #expect(try "\(SocketAddress(parsing: "[fe80::1%eth0]:80"))" == "[fe80::1%eth0]:80")
        #expect(try SocketAddress(parsing: "[::1]", port: 1).family == .ipv6)
        #expect(SocketAddress.any(port: 0).host == "0.0.0.0")
    }

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1:x", "::1:80", ":80", "[::1:80",
        "::1]:80", "[]:80",
    ])
    func refuses(_ text: String) {
        #expect(throws: SocketAddressError.self) { try SocketAddress(parsing: text) }
    }

    @Test func saysWhatIsWrong() {
        #expect(throws: SocketAddressError.self) { try SocketAddress(parsing: "::1:80") }
        do { _ = try SocketAddress(parsing: "::1:80") } catch {
            #expect("\(error)" == "'::1:80' needs brackets around its IPv6 address, for example [::1]:9090")
        }
    }

    @Test func comparesByAddressThenPort() throws {
        let sorted = try ["[::1]:1", "10.0.0.1:1", "9.0.0.1:2", "9.0.0.1:1"].map { try SocketAddress(parsing: $0) }
            .sorted()
        #expect(sorted.map(\.description) == ["9.0.0.1:1", "9.0.0.1:2", "10.0.0.1:1", "[::1]:1"])
    }
}
