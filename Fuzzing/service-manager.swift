// Fuzzes the parsers for the environment variables of a service manager (LISTEN_*, NOTIFY_SOCKET and WATCHDOG_*). The
// numbers are compared with the results of a second implementation.
import SystemCalls

/// Returns the number in a variable, or `nil` if the text is not a number of at most 64 bits.
private func number(_ text: String) -> UInt64? {
    var value: UInt64 = 0
    for byte in text.utf8 {
        guard (0x30...0x39).contains(byte) else { return nil }
        let (scaled, isTooLarge) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflows) = scaled.addingReportingOverflow(UInt64(byte - 0x30))
        if isTooLarge || overflows { return nil }
        value = sum
    }
    return text.isEmpty ? nil : value
}

private func checkSockets(_ environment: [String: String], _ process: Int32) {
    let isForUs = environment["LISTEN_PID"].flatMap(number) == UInt64(process)
    let count = environment["LISTEN_FDS"].flatMap(number)
    let names = environment["LISTEN_FDNAMES"].map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    do {
        let listed = try InheritedSocket.listed(in: environment, process: process)
        guard isForUs, environment["LISTEN_FDS"] != nil else { return precondition(listed.isEmpty) }
        precondition(UInt64(listed.count) == count && (1...1024).contains(listed.count))
        precondition(listed.map(\.descriptor).elementsEqual(3..<Int32(listed.count) + 3))
        precondition(names == nil || names?.map(String.init) == listed.map { $0.name ?? "" })
    } catch {
        precondition(!error.subject.isEmpty && !error.reason.isEmpty)
        let isWrong = environment["LISTEN_PID"].map { number($0) == nil } ?? false
        let isWrongCount = count.map { !(1...1024).contains($0) } ?? true
        precondition(
            isWrong || isForUs && (isWrongCount || names.map { UInt64($0.count) != count } ?? false),
            "valid variables were rejected: \(error)")
    }
}

private func checkWatchdog(_ environment: [String: String], _ process: Int32) {
    let microseconds = environment["WATCHDOG_USEC"].flatMap(number)
    do {
        guard let watchdog = try Watchdog(environment: environment, process: process) else { return }
        precondition(watchdog.timeout == microseconds.map { .microseconds(Int64($0)) } && watchdog.interval > .zero)
    } catch { precondition(!error.subject.isEmpty && !error.reason.isEmpty) }
}

private func checkNotifier(_ environment: [String: String]) {
    let name = environment["NOTIFY_SOCKET"]
    let isName = name.map { ($0.utf8.first == 0x2F || $0.utf8.first == 0x40) && (2...108).contains($0.utf8.count) }
    do {
        let notifier = try ServiceNotifier(environment: environment)
        precondition((notifier != nil) == (name != nil) && isName ?? true)
    } catch is ServiceManagerError { precondition(isName == false, "a valid name was rejected") } catch {
        preconditionFailure("\(error)")
    }
}

/// Parses the lines of one input as the values of the variables.
///
/// A line that begins with a zero byte leaves its variable unset.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: min(count, 1024))
    let lines = input.split(separator: 10, maxSplits: 5, omittingEmptySubsequences: false)
    let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC", "NOTIFY_SOCKET"]
    var environment: [String: String] = [:]
    for (name, line) in zip(variables, lines) where line.first != 0 {
        environment[name] = String(decoding: line, as: UTF8.self)
    }
    checkSockets(environment, 7)
    checkWatchdog(environment, 7)
    checkNotifier(environment)
    return 0
}
