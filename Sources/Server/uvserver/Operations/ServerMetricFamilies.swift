import Administration
import Servers
import SystemCalls

extension ServerMetrics {
    /// The counters of a server as Prometheus metrics.
    var families: [MetricFamily] { connectionFamilies + messageFamilies + loopFamilies }

    private var connectionFamilies: [MetricFamily] {
        [
            .counter(
                "uvserver_connections_accepted_total", help: "Connections that were accepted and served.",
                Double(acceptedConnections)),
            .gauge("uvserver_connections_open", help: "Connections that are open.", Double(openConnections)),
            MetricFamily(
                "uvserver_connections_rejected_total", help: "Connections that were closed unserved, by reason.",
                .counter(
                    RejectionReason.allCases.map { reason in
                        MetricSample(
                            Double(rejectedConnections[reason, default: 0]),
                            labels: [MetricLabel("reason", reason.rawValue)])
                    })),
            MetricFamily(
                "uvserver_connections_closed_by_limit_total", help: "Connections that a limit closed, by limit.",
                .counter(
                    CloseReason.allCases.map { reason in
                        MetricSample(
                            Double(closedConnections[reason, default: 0]),
                            labels: [MetricLabel("limit", reason.rawValue)])
                    })),
        ]
    }

    private var messageFamilies: [MetricFamily] {
        [
            .counter(
                "uvserver_received_bytes_total", help: "Bytes received from clients.", Double(receivedByteCount)),
            .counter("uvserver_sent_bytes_total", help: "Bytes passed to the kernel.", Double(sentByteCount)),
            .counter("uvserver_messages_total", help: "Messages that clients closed.", Double(messageCount)),
            .gauge(
                "uvserver_buffered_bytes", help: "Buffered reply bytes of all connections.",
                Double(bufferedByteCount)),
            MetricFamily(
                "uvserver_reply_seconds",
                help: "Time from the notification of received bytes until the reply is passed to the kernel or queued.",
                .histogram([replyLatency.sample(labels: [])])),
        ]
    }

    /// Empty in the blocking models, which have no loop.
    private var loopFamilies: [MetricFamily] {
        if loops.isEmpty { return [] }
        let buffers = loops.enumerated().flatMap { index, loop in
            let counts = [
                ("pooled", loop.pooledBuffers), ("in_flight", loop.buffersInFlight),
                ("held", loop.madeBuffers - loop.pooledBuffers - loop.buffersInFlight),
            ]
            return counts.map { state, count in
                MetricSample(Double(count), labels: [MetricLabel("loop", "\(index)"), MetricLabel("state", state)])
            }
        }
        let families = [
            MetricFamily(
                "uvserver_loop_iteration_seconds",
                help: "Duration of each iteration of a loop, without the wait for events.",
                .histogram(samples { $0.iterationTime })),
            MetricFamily(
                "uvserver_loop_lag_seconds", help: "Delay of a loop's 100 ms timer.",
                .histogram(samples { $0.lag })),
        ]
        guard loops.contains(where: { $0.madeBuffers > 0 }) else { return families }
        return families + [
            MetricFamily(
                "uvserver_loop_buffers", help: "Write buffers of a loop's pool, by state.", .gauge(buffers))
        ]
    }

    private func samples(_ histogram: (Loop) -> DurationHistogram) -> [HistogramSample] {
        loops.enumerated().map { histogram($1).sample(labels: [MetricLabel("loop", "\($0)")]) }
    }
}

extension DurationHistogram {
    fileprivate func sample(labels: [MetricLabel]) -> HistogramSample {
        HistogramSample(
            upperBounds: DurationHistogram.upperBounds.map { Double($0) / 1e9 },
            counts: counts.map { UInt64(clamping: $0) },
            sum: Double(sum) / 1e9, labels: labels)
    }
}
