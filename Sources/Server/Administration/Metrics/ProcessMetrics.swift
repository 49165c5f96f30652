internal import SystemCalls

/// The standard process metrics of Prometheus.
public enum ProcessMetrics {
    /// The current metrics; empty if they cannot be read, for example because no descriptor is free.
    public static func current() -> [MetricFamily] {
        guard let resources = try? ProcessResources.current() else { return [] }
        let open = resources.openDescriptorCount.map {
            MetricFamily.gauge("process_open_fds", help: "Number of open file descriptors.", Double($0))
        }
        return [
            .counter(
                "process_cpu_seconds_total", help: "Total user and system CPU time spent in seconds.",
                resources.processorTime / .seconds(1)),
            .gauge(
                "process_resident_memory_bytes", help: "Resident memory size in bytes.",
                Double(resources.residentBytes)),
            .gauge(
                "process_virtual_memory_bytes", help: "Virtual memory size in bytes.", Double(resources.virtualBytes)),
            .gauge(
                "process_max_fds", help: "Maximum number of open file descriptors.", Double(resources.descriptorLimit)),
            .gauge(
                "process_start_time_seconds", help: "Start time of the process since unix epoch in seconds.",
                resources.startTime),
        ] + [open].compactMap { $0 }
    }

    /// The versions and the model, as labels of a gauge that is always 1.
    public static func buildInformation(version: String, libuv: String, model: String) -> MetricFamily {
        let labels = [MetricLabel("version", version), MetricLabel("libuv", libuv), MetricLabel("model", model)]
        return MetricFamily(
            "uvserver_build_info", help: "Always 1, with the versions and the model as labels.",
            .gauge([MetricSample(1, labels: labels)]))
    }
}
