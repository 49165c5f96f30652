internal import SystemCalls

/// The process metrics that Prometheus defines for all programs.
public enum ProcessMetrics {
    /// Returns the current metrics.
    ///
    /// The result is empty if the metrics cannot be read, for example because no descriptor is free.
    public static func current() -> [MetricFamily] {
        guard let resources = try? ProcessResources.current() else { return [] }
        let gauges: [(name: String, help: String, value: Double?)] = [
            ("process_resident_memory_bytes", "Resident memory size in bytes.", Double(resources.residentBytes)),
            ("process_virtual_memory_bytes", "Virtual memory size in bytes.", Double(resources.virtualBytes)),
            ("process_open_fds", "Number of open file descriptors.", resources.openDescriptorCount.map(Double.init)),
            ("process_max_fds", "Maximum number of open file descriptors.", Double(resources.descriptorLimit)),
            (
                "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
                resources.startTime
            ),
        ]
        let processorTime = MetricFamily(
            .counter, "process_cpu_seconds_total", help: "Total user and system CPU time spent in seconds.",
            resources.processorTime / .seconds(1))
        return [processorTime]
            + gauges.compactMap { gauge in
                gauge.value.map { MetricFamily(.gauge, gauge.name, help: gauge.help, $0) }
            }
    }

    /// Returns a gauge whose labels contain the versions and the model.
    ///
    /// The gauge is always 1.
    public static func buildInformation(version: String, libuv: String, model: String) -> MetricFamily {
        MetricFamily(
            .gauge, "uvserver_build_info", help: "Always 1. The labels contain the versions and the model.",
            [MetricSample(1, labels: [("version", version), ("libuv", libuv), ("model", model)])])
    }
}
