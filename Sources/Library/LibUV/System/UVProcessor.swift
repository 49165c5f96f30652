internal import CLibUV

/// A processor of the machine (`uv_cpu_info_t`).
public struct UVProcessor: Hashable, Sendable {
    /// The model name of the processor.
    public let model: String

    /// The speed in MHz, or 0 if it is unknown.
    public let megahertz: Int

    /// How the processor has spent its time since the machine started, in whole milliseconds.
    public let times: Times

    /// The time that a processor has spent, by type of use.
    public struct Times: Hashable, Sendable {
        /// The time in programs.
        public let user: Duration
        /// The time in low-priority programs.
        public let nice: Duration
        /// The time in the kernel.
        public let system: Duration
        /// The idle time.
        public let idle: Duration
        /// The time in interrupts.
        public let interrupts: Duration

        init(_ times: uv_cpu_times_s) {
            user = .milliseconds(times.user)
            nice = .milliseconds(times.nice)
            system = .milliseconds(times.sys)
            idle = .milliseconds(times.idle)
            interrupts = .milliseconds(times.irq)
        }
    }
}

extension UVSystem {
    /// The processors of the machine, including processors that this process is not allowed to use (`uv_cpu_info`).
    ///
    /// - Throws: a system error, for example if `/proc` cannot be read.
    public static var processors: [UVProcessor] {
        get throws(UVError) {
            var list: UnsafeMutablePointer<uv_cpu_info_t>?
            var count: Int32 = 0
            try unsafe check(uv_cpu_info(&list, &count), "uv_cpu_info")
            defer { unsafe uv_free_cpu_info(list, count) }
            return unsafe UnsafeBufferPointer(start: list, count: Int(count)).map { processor in
                unsafe UVProcessor(
                    model: processor.model.map { unsafe String(cString: $0) } ?? "",
                    megahertz: Int(processor.speed), times: UVProcessor.Times(processor.cpu_times))
            }
        }
    }
}
