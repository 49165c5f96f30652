import Administration
import Servers

extension ServerMetrics {
    /// What a server has counted, as Prometheus reads it.
    var families: [MetricFamily] { connectionFamilies + messageFamilies + loopFamilies }

    private var connectionFamilies: [MetricFamily] {
        [
            .counter(
                "uvserver_connections_accepted_total", help: "Connections that have been accepted and served.",
                Double(acceptedConnections)),
            .gauge("uvserver_connections_open", help: "Connections that are open.", Double(openConnections)),
            MetricFamily(
                "uvserver_connections_refused_total", help: "Connections that were closed unserved, by reason.",
                .counter(
                    RejectionReason.allCases.map { reason in
                        MetricSample(
                            Double(rejectedConnections[reason, default: 0]),
                            labels: [MetricLabel("reason", reason.rawValue)])
                    })),
            MetricFamily(
                "uvserver_connections_ended_total", help: "Connections that a limit has ended, by limit.",
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
            .counter("uvserver_sent_bytes_total", help: "Bytes given to the kernel to send.", Double(sentByteCount)),
            .counter("uvserver_messages_total", help: "Messages that were closed and answered.", Double(messageCount)),
            .gauge(
                "uvserver_held_bytes", help: "Bytes of answers that wait for clients to take them.",
                Double(bufferedByteCount)),
            MetricFamily(
                "uvserver_answer_seconds",
                help: "From when a thread learned of bytes until their answer was given to the kernel, or queued.",
                .histogram([replyLatency.sample(labels: [])])),
        ]
    }

    /// None where threads block: they have no loop.
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
                "uvserver_loop_round_seconds", help: "How long each round of a loop took, its waiting apart.",
                .histogram(samples { $0.iterationTime })),
            MetricFamily(
                "uvserver_loop_lag_seconds", help: "How late a loop's timer of 100 ms was.",
                .histogram(samples { $0.lag })),
        ]
        guard loops.contains(where: { $0.madeBuffers > 0 }) else { return families }
        return families + [
            MetricFamily(
                "uvserver_loop_buffers", help: "Write buffers of a loop's pool, by where they are.", .gauge(buffers))
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
