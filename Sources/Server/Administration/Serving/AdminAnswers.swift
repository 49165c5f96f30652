public import HTTPProtocol

/// What there is to ask for, and what is answered.
public struct AdminAnswers: Sendable {
    private let isReady: @Sendable () -> Bool
    private let isAlive: @Sendable () -> Bool
    private let metrics: @Sendable () -> [MetricFamily]

    /// Makes answers of what these say at the time of each request; they are called on the administration's thread.
    ///
    /// - Parameters:
    ///   - isReady: whether new clients are welcome.
    ///   - isAlive: whether the process is in order, drains included.
    ///   - metrics: what there is to count.
    public init(
        isReady: @escaping @Sendable () -> Bool, isAlive: @escaping @Sendable () -> Bool,
        metrics: @escaping @Sendable () -> [MetricFamily]
    ) {
        self.isReady = isReady
        self.isAlive = isAlive
        self.metrics = metrics
    }

    /// The answer to a request.
    public func answer(to request: HTTPRequest) -> HTTPAnswer {
        switch request.path {
        case "/": HTTPAnswer(.ok, AdminAnswers.contents)
        case "/healthz": isAlive() ? HTTPAnswer(.ok, "ok\n") : HTTPAnswer(.serviceUnavailable, "failed\n")
        case "/readyz": isReady() ? HTTPAnswer(.ok, "ready\n") : HTTPAnswer(.serviceUnavailable, "draining\n")
        case "/metrics":
            HTTPAnswer(.ok, PrometheusText.text(of: metrics()), contentType: PrometheusText.contentType)
        default: HTTPAnswer(.notFound, "there are /healthz, /readyz and /metrics\n")
        }
    }

    private static let contents = """
        /healthz  200 while the process is in order
        /readyz   200 while new clients are welcome, 503 before and while it drains
        /metrics  what it counts, for Prometheus

        """
}
