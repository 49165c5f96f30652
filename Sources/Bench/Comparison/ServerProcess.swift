public import SocketAddresses
internal import SystemCalls

/// A server of one model in a process of its own, killed when its owner goes.
public struct ServerProcess: ~Copyable {
    private var child: ChildProcess

    /// The model that it serves by.
    public let model: String

    /// Where it listens.
    public let address: SocketAddress

    /// The number of the process.
    public var processIdentifier: Int32 { child.processIdentifier }

    /// Starts `PROGRAM serve --model MODEL` on a free port of the loopback address, and waits until it listens.
    ///
    /// - Parameters:
    ///   - program: the file of the program.
    ///   - options: further options of `serve`, as `["--loops", "2"]`.
    /// - Throws: `ComparisonError` where it cannot be started, or does not listen within ten seconds.
    public init(program: String, model: String, options: [String] = []) throws(ComparisonError) {
        let name = "the \(model) server"
        var child = try ModelProcess.start(program, ModelProcess.arguments(for: model) + options, name)
        address = try ModelProcess.readAddress(from: &child, name)
        self.child = child
        self.model = model
    }

    /// Stops the server with a signal (SIGTERM), and waits until it has ended; a drain may take its time.
    ///
    /// - Throws: `ComparisonError` where it has not ended within ten seconds, or not with exit code 0.
    public mutating func stop() throws(ComparisonError) {
        child.terminate()
        do throws(SystemCallError) {
            if case .code(0) = try child.wait(timeout: .seconds(10)) { return }
        } catch { throw ComparisonError("the \(model) server cannot be waited for (\(error))") }
        throw ComparisonError("the \(model) server did not end in order when it was told to stop")
    }
}
