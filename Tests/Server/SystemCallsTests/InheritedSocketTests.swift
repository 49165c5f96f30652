import Glibc
import SocketAddresses
import SystemCalls
import Testing

/// Tests of sockets that a service manager passes to the program.
@Suite(.timeLimit(.minutes(1))) struct InheritedSocketTests {
    private func listed(_ environment: [String: String]) throws -> [(descriptor: Int32, name: String?)] {
        try InheritedSocket.listed(in: environment, process: 7)
    }

    @Test func descriptorsCountFromThree() throws {
        let listed = try listed(["LISTEN_PID": "7", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "a::c"])
        #expect(listed.map(\.descriptor) == [3, 4, 5])
        #expect(listed.map(\.name) == ["a", "", "c"])
        #expect(try self.listed(["LISTEN_PID": "7", "LISTEN_FDS": "1"]).first?.name == nil)
    }

    @Test func socketsForAnotherProcessAreIgnored() throws {
        for environment in [
            [:], ["LISTEN_FDS": "1"], ["LISTEN_PID": "8", "LISTEN_FDS": "1"], ["LISTEN_PID": "8", "LISTEN_FDS": "x"],
            ["LISTEN_PID": "7"],
        ] { #expect(try listed(environment).isEmpty, "\(environment)") }
    }

    @Test(arguments: ["", "0", "-1", "+1", " 1", "1x", "1025", "99999999999999999999"])
    func anInvalidNumberOfSocketsIsRejected(_ text: String) {
        let error = #expect(throws: ServiceManagerError.self) {
            _ = try listed(["LISTEN_PID": "7", "LISTEN_FDS": text])
        }
        #expect(error?.subject == "LISTEN_FDS='\(text)'")
    }

    @Test func anInvalidProcessIsRejected() {
        #expect(throws: ServiceManagerError(subject: "LISTEN_PID='7x'", reason: "must be a whole number")) {
            _ = try listed(["LISTEN_PID": "7x", "LISTEN_FDS": "1"])
        }
    }

    @Test func theNumberOfNamesMustMatch() {
        let error = #expect(throws: ServiceManagerError.self) {
            _ = try listed(["LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "one"])
        }
        #expect(error?.description == "LISTEN_FDNAMES='one' has 1 names for 2 sockets")
    }

    /// Returns the reason why a descriptor is rejected, or `nil` if it is accepted.
    private func reasonForRejecting(_ descriptor: Int32) -> String? {
        do {
            _ = try InheritedSocket(descriptor: descriptor, name: "web")
            return nil
        } catch { return error.description }
    }

    @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
    func aListeningSocketIsInherited(_ address: String) throws {
        let listener = try ListeningSocket(address: SocketAddress(parsing: address), backlog: 1, isNonBlocking: false)
        let copy = dup(listener.rawValue)
        defer { close(copy) }
        #expect(fcntl(copy, F_GETFD) & FD_CLOEXEC == 0)
        let socket = try InheritedSocket(descriptor: copy, name: nil)
        #expect(try socket.address == listener.localAddress)
        #expect(fcntl(copy, F_GETFD) & FD_CLOEXEC == FD_CLOEXEC)
    }

    @Test func aSocketOfAnotherKindIsRejectedByNumberAndName() throws {
        let wrong: [(Int32, Int32)] = [
            (AF_INET, Int32(SOCK_STREAM.rawValue)), (AF_INET, Int32(SOCK_DGRAM.rawValue)),
            (AF_UNIX, Int32(SOCK_STREAM.rawValue)),
        ]
        for (family, type) in wrong {
            let descriptor = socket(family, type | Int32(SOCK_CLOEXEC.rawValue), 0)
            defer { close(descriptor) }
            #expect(
                reasonForRejecting(descriptor)?.hasPrefix(
                    "descriptor \(descriptor) ('web') is not a listening TCP socket") == true)
        }
    }

    @Test func aDescriptorThatIsNotASocketIsRejected() {
        let file = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        #expect(reasonForRejecting(file)?.contains("getsockopt: Socket operation on non-socket") == true)
        #expect(reasonForRejecting(99_999)?.contains("getsockopt: Bad file descriptor") == true)
    }
}

/// Tests of a listening socket that several processes share.
@Suite(.timeLimit(.minutes(1))) struct SharedListeningSocketTests {
    @Test func closingItLeavesPendingConnectionsToOtherProcesses() throws {
        let owner = try ListeningSocket(address: .loopback(port: 0), backlog: 8, isNonBlocking: false)
        let client: StreamSocket
        do {
            let first = try ListeningSocket(inheriting: owner.duplicate(), backlog: 8)
            client = try StreamSocket.connect(to: try first.localAddress, timeout: .seconds(5))
        }
        let second = try ListeningSocket(inheriting: owner.duplicate(), backlog: 8)
        guard case .connection(let connection) = try second.accept(isNonBlocking: true) else {
            Issue.record("no connection is pending")
            return
        }
        #expect(try connection.localAddress == second.localAddress)
        #expect(try client.localAddress.family == .ipv4)
    }

    @Test func itIsNonBlockingForAllProcesses() throws {
        let owner = try ListeningSocket(address: .loopback(port: 0), backlog: 8, isNonBlocking: false)
        _ = try ListeningSocket(inheriting: owner.duplicate(), backlog: 8)
        guard case .wouldBlock = try owner.accept(isNonBlocking: false) else {
            Issue.record("an unexpected connection")
            return
        }
    }

    @Test func aWaitEndsAtAConnectionOrASignal() throws {
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 8, isNonBlocking: true)
        let wakeUp = try WakeUp()
        wakeUp.signal()
        try listener.waitForConnection(orFor: wakeUp)
        wakeUp.clear()
        let client = try StreamSocket.connect(to: try listener.localAddress, timeout: .seconds(5))
        try listener.waitForConnection(orFor: wakeUp)
        #expect(client.rawValue >= 0)
    }
}
