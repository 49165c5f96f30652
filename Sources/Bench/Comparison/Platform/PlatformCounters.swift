internal import SystemCalls

/// The kernel's counters for the machine and for some processes at one moment.
struct PlatformCounters: Hashable {
    /// The ticks of all processors together, classified by use (`/proc/stat`).
    struct Ticks: Hashable {
        var total: UInt64 = 0
        var busy: UInt64 = 0
        var stolen: UInt64 = 0

        /// Parses the first line of `/proc/stat`, which contains user, nice, system, idle, iowait, irq, softirq and
        /// steal ticks.
        ///
        /// The user and nice ticks include the ticks of guests.
        init(parsing text: String) {
            let line = text.prefix { $0 != "\n" }
            let fields = line.split(separator: " ").dropFirst().prefix(8).map { UInt64($0) ?? 0 }
            guard line.hasPrefix("cpu "), fields.count == 8 else { return }
            total = fields.reduce(0, +)
            stolen = fields[7]
            busy = total - fields[3] - fields[4] - stolen
        }

        init() {}
    }

    var ticks = Ticks()
    /// The time for which at least one task has waited for a processor, in microseconds (`/proc/pressure/cpu`).
    var pressure: UInt64 = 0
    /// The time for which the threads of the watched processes have waited for a processor, in nanoseconds
    /// (`schedstat`).
    var runDelay: UInt64 = 0
    /// The time for which the watched processes and this process have run, in nanoseconds.
    var ownTime: UInt64 = 0
    /// The time at which the counters were read, in nanoseconds of the monotonic clock.
    var time: UInt64 = 0

    /// Parses the field `total` in the line of `/proc/pressure/cpu` that starts with `some`.
    static func pressure(parsing text: String) -> UInt64 {
        let line = text.split(separator: "\n").first { $0.hasPrefix("some ") } ?? ""
        let field = line.split(separator: " ").first { $0.hasPrefix("total=") } ?? ""
        return UInt64(field.dropFirst("total=".count)) ?? 0
    }

    /// Parses the second number of a thread's `schedstat`: the time for which the thread has waited for a processor.
    static func runDelay(parsing text: String) -> UInt64 {
        let fields = text.split(whereSeparator: \.isWhitespace)
        return fields.count >= 2 ? UInt64(fields[1]) ?? 0 : 0
    }

    /// Reads the counters.
    ///
    /// A counter that the system does not have is 0.
    static func read(watching processes: [Int32]) -> PlatformCounters {
        var counters = PlatformCounters()
        counters.ticks = Ticks(parsing: (try? TextFile.read("/proc/stat")) ?? "")
        counters.pressure = pressure(parsing: (try? TextFile.read("/proc/pressure/cpu")) ?? "")
        for process in processes {
            for thread in (try? TextFile.names(in: "/proc/\(process)/task")) ?? [] {
                let text = (try? TextFile.read("/proc/\(process)/task/\(thread)/schedstat")) ?? ""
                counters.runDelay += runDelay(parsing: text)
            }
            counters.ownTime += nanoseconds(of: process)
        }
        counters.ownTime += nanoseconds(of: ProcessUsage.ownIdentifier)
        counters.time = MonotonicTime.nanoseconds()
        return counters
    }

    private static func nanoseconds(of process: Int32) -> UInt64 {
        guard let time = try? ProcessUsage.processorTime(of: process) else { return 0 }
        return UInt64(max(0, time / .nanoseconds(1)))
    }
}
