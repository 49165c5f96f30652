// Fuzzes the parsers for addresses, for addresses with a port, and for address blocks. glibc decides which texts are
// valid addresses, and a bit-by-bit comparison decides which addresses a block contains. Printing a value and parsing
// the result must not change the value.
import Glibc
import ProxyProtocol
import SocketAddresses

/// Returns whether glibc accepts an IP address without a zone.
private func isAddress(_ text: String) -> Bool {
    var bits: (UInt64, UInt64) = (0, 0)
    return !text.utf8.contains(0) && inet_pton(text.contains(":") ? AF_INET6 : AF_INET, text, &bits) == 1
}

/// Returns the bits of an address, the highest bit first.
///
/// An IPv4-mapped address has the bits of the IPv4 address.
private func bits(_ address: IPAddress) -> [Bool] {
    switch address {
    case .v4(let value): return (0..<32).map { value >> (31 - $0) & 1 == 1 }
    case .v6(let value, _):
        let all = (0..<128).map { value >> (127 - $0) & 1 == 1 }
        return value >> 32 == 0xFFFF ? Array(all[96...]) : all
    }
}

private func checkAddress(_ text: String) {
    do {
        let address = try IPAddress(parsing: text)
        let again = try IPAddress(parsing: "\(address)")
        precondition(again == address, "the printed address differs")
        if case .v6(_, .some(let zone)) = address {
            precondition(text.hasSuffix("%\(zone)") && isAddress(String(text.prefix { $0 != "%" })))
        } else {
            precondition(isAddress(text), "glibc does not accept the address")
        }
    } catch {
        precondition(!isAddress(text), "glibc accepts the address")
        precondition(error.text == text && !error.reason.isEmpty, "the error does not contain the text")
    }
}

private func checkAddressWithPort(_ text: String) {
    guard let address = try? SocketAddress(parsing: text) else { return }
    precondition((try? SocketAddress(parsing: "\(address)")) == address, "the printed address differs")
    guard let digits = text.split(separator: ":", omittingEmptySubsequences: false).last else { return }
    precondition(digits.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt16(digits) == address.port)
}

private func checkBlock(_ text: String, _ others: [IPAddress]) {
    guard let block = try? CIDRBlock(parsing: text) else { return }
    precondition((try? CIDRBlock(parsing: "\(block)")) == block, "the printed block differs")
    precondition(block.contains(block.address), "the block does not contain its first address")
    let first = bits(block.address)
    for other in others {
        let its = bits(other)
        let isInside = its.count == first.count && its.prefix(block.prefixLength) == first.prefix(block.prefixLength)
        precondition(block.contains(other) == isInside, "the block and the bits disagree about \(other)")
    }
}

/// Parses one input as each kind of text.
///
/// The addresses that are checked against a block come from the input's first bytes and from the block itself.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: min(count, 256))
    let text = String(decoding: bytes, as: UTF8.self)
    checkAddress(text)
    checkAddressWithPort(text)
    let number = bytes.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    var others = [IPAddress.v4(UInt32(truncatingIfNeeded: number)), .v6(number, zone: nil)]
    if let block = try? CIDRBlock(parsing: text) {
        switch block.address {
        case .v4(let value):
            others += [.v4(value ^ 1), .v4(value ^ 0x8000_0000), .v6(0xFFFF_0000_0000 | UInt128(value), zone: nil)]
        case .v6(let value, _): others += [.v6(value ^ 1, zone: "x"), .v6(value ^ 1 << 127, zone: nil)]
        }
    }
    checkBlock(text, others)
    return 0
}
