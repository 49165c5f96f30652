public import SocketAddresses
internal import SystemCalls

/// A server of one model in its own process, which is killed when the value is destroyed.
public struct ServerProcess: ~Copyable {
    private var child: ChildProcess

    /// The model that it serves.
    public let model: String

    /// Where it listens.
    public let address: SocketAddress

    /// The number of the process.
    public var processIdentifier: Int32 { child.processIdentifier }

    /// Starts `PROGRAM serve --model MODEL` on a free port of the loopback address, and waits until it listens.
    ///
    /// - Parameters:
    ///   - program: the file of the program.
    ///   - options: further options of `serve`, for example `["--loops", "2"]`.
    /// - Throws: `ComparisonError` if it cannot be started, or does not listen within ten seconds.
    public init(program: String, model: String, options: [String] = []) throws(ComparisonError) {
        let name = "the \(model) server"
        var child = try ModelProcess.start(program, ModelProcess.arguments(for: model) + options, name)
        address = try ModelProcess.readAddress(from: &child, name)
        self.child = child
        self.model = model
    }

    /// Stops the server with a signal (SIGTERM), and waits for its exit, which a drain may delay.
    ///
    /// - Throws: `ComparisonError` if it has not exited after ten seconds, or not with code 0.
    public mutating func stop() throws(ComparisonError) {
        child.terminate()
        do throws(SystemCallError) {
            if case .code(0) = try child.wait(timeout: .seconds(10)) { return }
        } catch { throw ComparisonError("cannot wait for the \(model) server (\(error))") }
        throw ComparisonError("the \(model) server did not exit with code 0 after SIGTERM")
    }
}
