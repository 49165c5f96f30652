import Foundation
import Servers
import SocketAddresses
import SystemCalls
import Testing

/// Tests of errors of `accept4`, `poll` and `select`, which `strace` injects.
extension ProgramTests {
    /// The models whose accept loop belongs to the server, not to LibUV.
    static let ownModels = ["sequential", "threads", "thread-pool", "select", "poll", "epoll"]

    /// The model `io-uring` is tested only where the kernel permits it.
    @Test(.enabled(if: ServerModel.ioUring.isAvailable(), "this system does not permit io_uring"))
    func theRingIsAvailable() { #expect(Self.models.contains("io-uring")) }

    /// Every model with the first error, and a model of each family with the other errors.
    ///
    /// The models of a family share the code that accepts.
    private static func everyModelAndError(_ first: String, _ others: String...) -> [(String, String)] {
        ownModels.map { ($0, first) } + ["threads", "epoll"].flatMap { model in others.map { (model, $0) } }
    }

    private static func strace(_ injection: String) -> [String] {
        let calls = injection.split(separator: ":").first ?? ""
        return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(calls)", "-e", "inject=\(injection)"]
    }

    /// Whether `strace` is installed and may trace a process.
    static let canInject = succeeds(strace("accept4:error=EPERM") + ["true"])

    private func serve(injecting injection: String, _ model: String) throws -> (Process, Pipe, Pipe, SocketAddress) {
        try serve(through: Self.strace(injection), ["--model", model])
    }

    private func stop(_ process: Process, _ output: Pipe, _ errors: Pipe) throws -> Finished {
        kill(process.processIdentifier, SIGTERM)
        return try finish(process, output, errors)
    }

    /// The server accepts the next connection, and logs nothing.
    @Test(
        .enabled(if: canInject, "strace cannot inject errors here"),
        arguments: everyModelAndError(
            "EPERM", "ENONET", "EOPNOTSUPP", "ETIMEDOUT", "ECONNABORTED", "EHOSTUNREACH"))
    func aFailedConnectionEndsNothing(_ model: String, _ error: String) throws {
        let (process, output, errors, address) = try serve(injecting: "accept4:error=\(error):when=1..3", model)
        #expect(try run("health", "\(address)").status == 0)
        let finished = try stop(process, output, errors)
        #expect(finished.status == 0)
        #expect(!finished.errors.contains("cannot accept"), "\(finished.errors)")
    }

    /// The listener pauses, logs the error once, and then accepts again.
    @Test(
        .enabled(if: canInject, "strace cannot inject errors here"),
        arguments: everyModelAndError("ENOMEM:when=1..4", "ENONET:when=1..40", "ENOBUFS:when=1..4", "EIO:when=1..4"))
    func aLastingErrorIsLoggedOnce(_ model: String, _ error: String) throws {
        let (process, output, errors, address) = try serve(injecting: "accept4:error=\(error)", model)
        #expect(try run("health", "--timeout", "20s", "\(address)").status == 0)
        let finished = try stop(process, output, errors)
        #expect(finished.status == 0)
        #expect(finished.errors.split(separator: "\n").count { $0.contains("cannot accept connections") } == 1)
    }

    /// A signal stops a server whose listener never recovers.
    @Test(.enabled(if: canInject, "strace cannot inject errors here"), arguments: ownModels)
    func aSignalEndsAPause(_ model: String) throws {
        let (process, output, errors, address) = try serve(injecting: "accept4:error=ENOMEM", model)
        let client = try connectPatiently(to: address)
        var line = ""
        while !line.contains("cannot accept connections"), let byte = try errors.fileHandleForReading.read(upToCount: 1)
        {
            try #require(!byte.isEmpty)
            line += String(decoding: byte, as: UTF8.self)
        }
        #expect(try stop(process, output, errors).status == 0)
        #expect(client.rawValue >= 0)
    }

    @Test(.enabled(if: canInject, "strace cannot inject errors here"), arguments: ownModels)
    func aBrokenListenerEndsTheServer(_ model: String) throws {
        let (process, output, errors, address) = try serve(injecting: "accept4:error=EBADF", model)
        let client = try? connectPatiently(to: address)
        let finished = try finish(process, output, errors)
        #expect(finished.status == 1)
        #expect(finished.errors.contains("the server failed: accept4: Bad file descriptor"))
        _ = client
    }

    @Test(
        .enabled(if: canInject, "strace cannot inject errors here"),
        arguments: zip(["poll", "select"], ["?poll,?ppoll", "?select,?pselect6"]))
    func aWaitWithoutMemoryIsRepeated(_ model: String, _ calls: String) throws {
        let (process, output, errors, address) = try serve(injecting: "\(calls):error=ENOMEM:when=1..3", model)
        #expect(try run("health", "\(address)").status == 0)
        #expect(try stop(process, output, errors).status == 0)
    }

    /// libuv calls `abort` if it has no descriptor for its own pipe.
    @Test(.enabled(if: canInject, "strace cannot inject errors here"))
    func anAbortOfLibuvIsExplained() throws {
        let (process, output, errors) = try start(
            through: Self.strace("pipe2:error=EMFILE"), ["serve", "--port", "0", "--model", "libuv"])
        let finished = try finish(process, output, errors, by: .uncaughtSignal)
        #expect(finished.status == SIGABRT)
        #expect(finished.errors.split(separator: "\n").count == 1, "\(finished.errors)")
        #expect(finished.errors.hasPrefix("uvserver: SIGABRT: a library has called abort()"), "\(finished.errors)")
    }

    /// The watchdog of a service manager ends the server with SIGABRT.
    @Test func aWatchdogStillEndsTheServer() throws {
        let (process, output, errors, _) = try serve("--model", "epoll")
        kill(process.processIdentifier, SIGABRT)
        let finished = try finish(process, output, errors, by: .uncaughtSignal)
        #expect(finished.status == SIGABRT)
        #expect(finished.errors.contains("the service manager's watchdog has expired"), "\(finished.errors)")
    }

    /// A container denies io_uring, and a kernel may be too old.
    @Test(
        .enabled(if: canInject, "strace cannot inject errors here"),
        arguments: zip(["EPERM", "ENOSYS", "EINVAL"], ["denies io_uring", "needs Linux 6.1", "needs Linux 6.1"]))
    func aSystemWithoutARingIsReportedInOneLine(_ error: String, _ reason: String) throws {
        let (process, output, errors) = try start(
            through: Self.strace("io_uring_setup:error=\(error)"), ["serve", "--port", "0", "--model", "io-uring"])
        let finished = try finish(process, output, errors)
        #expect(finished.status == 1)
        #expect(finished.output.isEmpty)
        #expect(finished.errors.split(separator: "\n").count == 1, "\(finished.errors)")
        #expect(finished.errors.contains(reason) && finished.errors.contains("choose another --model"))
    }

    /// `poll` accepts at most as many descriptors as the process may open.
    @Test func aLoweredLimitIsNamed() throws {
        let (process, output, errors, address) = try serve("--model", "poll")
        let clients = [
            try connectPatiently(to: address).release(), try connectPatiently(to: address).release(),
            try connectPatiently(to: address).release(),
        ]
        defer { for client in clients { StreamSocket.close(client) } }
        for client in clients {
            let socket = StreamSocket(adopting: client)
            #expect(try receive(1, from: socket) == "*")
            _ = socket.release()
        }
        #expect(Self.succeeds(["prlimit", "--pid", "\(process.processIdentifier)", "--nofile=6:"]))
        let socket = StreamSocket(adopting: clients[0])
        #expect(try socket.sendAll(Array("^a".utf8).span) == 2)
        _ = socket.release()
        let finished = try finish(process, output, errors)
        #expect(finished.status == 1)
        #expect(finished.errors.contains("above the limit of 6 open descriptors (RLIMIT_NOFILE"), "\(finished.errors)")
    }
}
