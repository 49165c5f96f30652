public import HTTPProtocol

/// The paths of the administration server and their responses.
public struct AdminRoutes: Sendable {
    private let isReady: @Sendable () -> Bool
    private let isAlive: @Sendable () -> Bool
    private let metrics: @Sendable () -> [MetricFamily]

    /// Makes routes from closures.
    ///
    /// The thread of the administration server calls a closure for each request.
    ///
    /// - Parameters:
    ///   - isReady: returns whether the server accepts new connections.
    ///   - isAlive: returns whether the process works. A drain does not make the result false.
    ///   - metrics: returns the current metrics.
    public init(
        isReady: @escaping @Sendable () -> Bool, isAlive: @escaping @Sendable () -> Bool,
        metrics: @escaping @Sendable () -> [MetricFamily]
    ) {
        self.isReady = isReady
        self.isAlive = isAlive
        self.metrics = metrics
    }

    /// Returns the response to a request.
    public func response(to request: HTTPRequest) -> HTTPResponse {
        switch request.path {
        case "/": HTTPResponse(.ok, AdminRoutes.index)
        case "/healthz": isAlive() ? HTTPResponse(.ok, "ok\n") : HTTPResponse(.serviceUnavailable, "failed\n")
        case "/readyz": isReady() ? HTTPResponse(.ok, "ready\n") : HTTPResponse(.serviceUnavailable, "draining\n")
        case "/metrics":
            HTTPResponse(.ok, PrometheusText.text(of: metrics()), contentType: PrometheusText.contentType)
        default: HTTPResponse(.notFound, "not found; the paths are /healthz, /readyz and /metrics\n")
        }
    }

    private static let index = """
        /healthz  200 while the process works, including during a drain
        /readyz   200 while the server accepts connections, 503 before that and during a drain
        /metrics  metrics for Prometheus

        """
}
