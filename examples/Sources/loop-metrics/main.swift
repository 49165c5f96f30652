import CoreMetrics
import Foundation
import LibUV
import LibUVMetrics

// loop-metrics [PORT] runs a loop that reports its metrics to a swift-metrics backend. This backend prints the values
// of each period. A real program would use another backend, for example the backend for Prometheus.
final class PrintingFactory: MetricsFactory, CounterHandler, RecorderHandler, TimerHandler {
    let label: String
    init(label: String = "") { self.label = label }

    func make(_ label: String, _ dimensions: [(String, String)]) -> PrintingFactory {
        PrintingFactory(label: label + "{" + dimensions.map { "\($0)=\($1)" }.joined(separator: ",") + "}")
    }
    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { make(label, dimensions) }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { make(label, dimensions) }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        make(label, dimensions)
    }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    func increment(by amount: Int64) { if amount > 0 { print("\(label) +\(amount)") } }
    func reset() {}
    func record(_ value: Int64) { print("\(label) \(value)") }
    func record(_ value: Double) { print("\(label) \(value)") }
    func recordNanoseconds(_ duration: Int64) {
        // Prints only long iterations, because short iterations are too frequent.
        if duration > 20_000_000 { print("\(label) more than 20 ms") }
    }
}
MetricsSystem.bootstrap(PrintingFactory())

let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000
try UVLoop.with { loop throws(UVError) in
    let reporter = try UVMetricsReporter(on: loop, name: "main", every: .milliseconds(50))
    let listener = try UVTCPListener(on: loop)
    try listener.bind(to: .loopback(port: port))
    try listener.listen { listener, error in
        guard error == nil, let stream = try? listener.accept() else { return }
        try? stream.startReading { stream, event in
            switch event {
            case .bytes(let bytes):
                // This callback takes too long on purpose, which delays all other clients.
                if bytes[0] == UInt8(ascii: "!") { usleep(60_000) }
                var answer = stream.makeBuffer(capacity: bytes.count)
                answer.append(copying: bytes)
                try? stream.write(answer)
            case .end, .failed: stream.close()
            case .written, .drained, .closed: break
            }
        }
    }
    let signal = try UVSignal(on: loop)
    try signal.startOnce(SIGTERM) { signal, _ in
        reporter.stop()
        signal.loop.stop()
    }
    print("listening on \(try listener.localAddress)")
    try loop.run()
}
