import ProxyProtocol
import SocketAddresses
import Testing

@Suite struct CIDRBlockTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.1/32", "192.0.2.1/32"), ("FD00::/8", "fd00::/8"), ("::/0", "::/0"), ("::1", "::1/128"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"), ("::ffff:10.1.2.3", "10.1.2.3/32"), ("::fffe:0:0/95", "::fffe:0:0/95"),
    ])
    func printsCanonically(_ text: String, _ canonical: String) throws {
        #expect(try "\(CIDRBlock(parsing: text))" == canonical)
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8/8",
        "10.0.0.0/ 8", "10.0.0.0/255.0.0.0", "10/8", "::/129", "[::]/0", "fe80::%eth0/64", "fe80::%eth0", "10.0.0.1/8",
        "fd00::1/8", "0.0.0.1/0", "10.0.0.0/٨",
    ])
    func rejectsAnInvalidBlock(_ text: String) {
        #expect(throws: SocketAddressError.self) { try CIDRBlock(parsing: text) }
    }

    @Test(arguments: [
        ("10.0.0.1/8", "'10.0.0.1/8' has bits set after its prefix; use 10.0.0.0/8"),
        ("fd00::1/8", "'fd00::1/8' has bits set after its prefix; use fd00::/8"),
        ("10.0.0.0/33", "'10.0.0.0/33' must have a prefix length from 0 to 32 after '/'"),
        ("300.0.0.0/8", "'300.0.0.0/8' is not an IPv4 address of four numbers from 0 to 255"),
    ])
    func theErrorHasTheReason(_ text: String, _ expected: String) {
        do {
            _ = try CIDRBlock(parsing: text)
            Issue.record("accepted")
        } catch { #expect("\(error)" == expected) }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0", true), ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "9.255.255.255", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("10.0.0.0/8", "::ffff:11.1.2.3", false), ("10.0.0.0/8", "::10.1.2.3", false),
        ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.128/25", "192.0.2.128", true),
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("0.0.0.0/0", "255.1.2.3", true),
        ("0.0.0.0/0", "::1", false), ("::/0", "2001:db8::1", true), ("::/0", "10.0.0.1", false),
        ("::/0", "::ffff:10.0.0.1", false), ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::", false),
        ("fe80::/10", "fe80::1%eth0", true), ("::1", "::1", true), ("::1", "::2", false),
        ("::ffff:10.0.0.0/104", "10.9.9.9", true), ("::ffff:10.0.0.0/104", "::ffff:10.9.9.9", true),
    ])
    func contains(_ block: String, _ address: String, _ expected: Bool) throws {
        #expect(try CIDRBlock(parsing: block).contains(IPAddress(parsing: address)) == expected)
    }

    @Test func everyLengthContainsItsEndsAndNoNeighbour() throws {
        for length in 1...32 {
            let size = UInt64(1) << (32 - length)
            let first = size == 1 << 31 ? 0x8000_0000 : UInt64(0xC000_0200) / size * size
            let block = try CIDRBlock(parsing: "\(IPAddress.v4(UInt32(first)))/\(length)")
            #expect(block.contains(.v4(UInt32(first))))
            #expect(block.contains(.v4(UInt32(first + size - 1))))
            #expect(!block.contains(.v4(UInt32(first - 1))))
            if first + size <= UInt64(UInt32.max) { #expect(!block.contains(.v4(UInt32(first + size)))) }
        }
    }

    @Test func nothingTrapsOnRandomText() {
        let letters = Array("0123456789abcdef:./%")
        for _ in 0..<5000 {
            let text = String((0..<Int.random(in: 0...20)).map { _ in letters.randomElement() ?? "0" })
            if let block = try? CIDRBlock(parsing: text) {
                #expect(block.contains(block.address), "\(text)")
                #expect((try? CIDRBlock(parsing: "\(block)")) == block, "\(text)")
            }
        }
    }
}
