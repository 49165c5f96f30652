internal import SystemCalls

/// What every process tells of itself, under the names that are customary for it.
public enum ProcessMetrics {
    /// The metrics, read now; none where the system does not tell, as when no descriptor is left.
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

    /// What is running: a metric whose value is always 1.
    public static func buildInformation(version: String, libuv: String, model: String) -> MetricFamily {
        let labels = [MetricLabel("version", version), MetricLabel("libuv", libuv), MetricLabel("model", model)]
        return MetricFamily(
            "uvserver_build_info", help: "The program's version, the libuv that it runs with, and the model it serves.",
            .gauge([MetricSample(1, labels: labels)]))
    }
}
