import Administration
import Servers
import SystemCalls

extension ServerMetrics {
    /// The server's metrics as Prometheus metrics.
    var families: [MetricFamily] {
        let counters = [
            ("uvserver_connections_accepted_total", "Connections that were accepted and served.", acceptedConnections),
            ("uvserver_received_bytes_total", "Bytes received from clients.", receivedByteCount),
            ("uvserver_sent_bytes_total", "Reply bytes passed to the kernel.", sentByteCount),
            ("uvserver_messages_total", "Complete messages received from clients.", messageCount),
        ]
        let gauges = [
            ("uvserver_connections_open", "Connections that are open now.", openConnections),
            ("uvserver_buffered_bytes", "Buffered reply bytes of all connections.", bufferedByteCount),
        ]
        return counters.map { MetricFamily(.counter, $0, help: $1, Double($2)) }
            + gauges.map { MetricFamily(.gauge, $0, help: $1, Double($2)) } + closureFamilies + loopFamilies
            + [
                MetricFamily(
                    .histogram, "uvserver_reply_seconds",
                    help:
                        "Time from the notification of received bytes until the reply is sent or queued.",
                    replyLatency.samples(labels: []))
            ]
    }

    private var closureFamilies: [MetricFamily] {
        [
            MetricFamily(
                .counter, "uvserver_connections_rejected_total",
                help: "Connections that the server rejected, by reason.",
                RejectionReason.allCases.map {
                    MetricSample(Double(rejectedConnections[$0, default: 0]), labels: [("reason", $0.rawValue)])
                }),
            MetricFamily(
                .counter, "uvserver_connections_closed_by_limit_total",
                help: "Connections that the server closed because of a limit, by limit.",
                CloseReason.allCases.map {
                    MetricSample(Double(closedConnections[$0, default: 0]), labels: [("limit", $0.rawValue)])
                }),
        ]
    }

    /// The metrics of the server's loops.
    ///
    /// The blocking models have no loops, and therefore no such metrics.
    private var loopFamilies: [MetricFamily] {
        if loops.isEmpty { return [] }
        let families = [
            MetricFamily(
                .histogram, "uvserver_loop_iteration_seconds",
                help: "Duration of a loop's iterations, without the time spent waiting for events.",
                samples { $0.iterationTime.samples(labels: [$1]) }),
            MetricFamily(
                .histogram, "uvserver_loop_lag_seconds", help: "How late a loop runs its 100 ms timer.",
                samples { $0.lag.samples(labels: [$1]) }),
        ]
        guard loops.contains(where: { $0.madeBuffers > 0 }) else { return families }
        let buffers = samples { loop, label in
            [
                ("pooled", loop.pooledBuffers), ("in_flight", loop.buffersInFlight),
                ("held", loop.madeBuffers - loop.pooledBuffers - loop.buffersInFlight),
            ].map { state, count in MetricSample(Double(count), labels: [label, ("state", state)]) }
        }
        return families + [
            MetricFamily(.gauge, "uvserver_loop_buffers", help: "Write buffers of each loop's pool, by state.", buffers)
        ]
    }

    /// Returns the samples of all loops.
    ///
    /// Each sample has the loop's number as a label.
    private func samples(_ samples: (Loop, (name: String, value: String)) -> [MetricSample]) -> [MetricSample] {
        loops.enumerated().flatMap { samples($1, ("loop", "\($0)")) }
    }
}

extension DurationHistogram {
    fileprivate func samples(labels: [(name: String, value: String)]) -> [MetricSample] {
        MetricSample.histogram(
            upperBounds: DurationHistogram.upperBounds.map { Double($0) / 1e9 }, counts: counts,
            sum: Double(sum) / 1e9, labels: labels)
    }
}
