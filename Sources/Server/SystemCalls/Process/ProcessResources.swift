internal import Glibc

/// The resources that this process uses, for its metrics.
public struct ProcessResources: Hashable, Sendable {
    /// The processor time of all threads, including threads that have ended.
    public let processorTime: Duration

    /// Resident memory in bytes.
    public let residentBytes: Int

    /// Mapped memory in bytes.
    public let virtualBytes: Int

    /// The time at which the process started, in seconds since 1970, accurate to 10 ms.
    public let startTime: Double

    /// The number of open descriptors, or `nil` if they cannot be counted.
    ///
    /// Counting them needs a free descriptor.
    public let openDescriptorCount: Int?

    /// The limit on open descriptors.
    public let descriptorLimit: Int

    /// Reads the resource usage of this process from the kernel (`/proc/self`, `/proc/stat`, `getrlimit`).
    ///
    /// - Throws: `EMFILE` if no descriptor is free.
    public static func current() throws(SystemCallError) -> ProcessResources {
        // Field 2 of the file is the program's name in parentheses. The name may contain any character, even a
        // parenthesis. The numbers that this function needs come after the last parenthesis.
        let stat = try TextFile.read("/proc/self/stat")
        let fields = (stat.split(separator: ")").last ?? "").split(separator: " ").map { Int($0) ?? 0 }
        // The first element of `fields` is field 3 of the file.
        func field(_ number: Int) -> Int { fields.indices.contains(number - 3) ? fields[number - 3] : 0 }
        return ProcessResources(
            processorTime: try ProcessUsage.processorTime(of: ProcessUsage.ownIdentifier),
            residentBytes: field(24) * Int(getpagesize()), virtualBytes: field(23),
            startTime: try bootTime() + Double(field(22)) / Double(max(1, sysconf(Int32(_SC_CLK_TCK)))),
            // Do not count the descriptor through which the directory is read.
            openDescriptorCount: (try? TextFile.names(in: "/proc/self/fd")).map { $0.count - 1 },
            descriptorLimit: try DescriptorLimit.current().soft)
    }

    /// The time at which the machine booted, in seconds since 1970.
    private static func bootTime() throws(SystemCallError) -> Double {
        Double(ProcessUsage.number(named: "btime ", in: try TextFile.read("/proc/stat")))
    }
}
