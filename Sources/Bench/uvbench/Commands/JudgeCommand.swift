import ArgumentParser
import Comparison
import Servers
import SystemCalls
import Terminal

/// `uvbench judge`: measures and ranks the models of `uvserver`.
struct JudgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "judge", abstract: "Measure and rank the concurrency models of uvserver.",
        discussion: """
            Runs each model's server in its own process on the loopback address, under the same loads. Three loads \
            have 1, 100 and 1000 clients, and at most ten of them are busy. In another load, one client sends and does \
            not read. In the last load, each request opens a connection. Prints the speeds relative to libuv in the \
            same run, the cost of a client, and the amount of code to read. Ranks the models by scalability, and by \
            ease: fewer lines of code to read are better. Takes less than two minutes.
            """)

    @Option(help: "Measure only this model and libuv. May be given several times. (default: all models)")
    var only: [String] = []

    @Option(help: "The number of times that each speed is measured, 1 to 100.")
    var rounds = 20

    @Option(help: "The duration of each measurement of a speed, 1ms to 10s.")
    var time = DurationArgument(.milliseconds(40))

    @Option(
        help: """
            The package's Sources directory. (default: searched for in the current directory, in the directory of this \
            program, and in the parents of both)
            """)
    var sources: String?

    @Option(help: "The path of uvserver. (default: uvserver in the directory of uvbench, otherwise in PATH)")
    var uvserver: String?

    @Option(help: "Also write all measurements to this file, as JSON.")
    var json: String?

    @Option(help: "Also write the main table to this file, as Markdown.")
    var markdown: String?

    func validate() throws {
        try ValidRange.check(rounds, 1...100, "--rounds")
        guard time.duration >= .milliseconds(1), time.duration <= .seconds(10) else {
            throw ValidationError("--time must be between 1ms and 10s (got \(time.defaultValueDescription))")
        }
        let names = ServerModels.all.map(\.name)
        for name in only where ServerModels.named(name) == nil {
            throw ValidationError(
                UnknownName.message("model", name, among: names) + " 'uvserver models' lists the models")
        }
    }

    func run() throws {
        let server = try ServerProgram(given: uvserver)
        // Files are checked before the measurements, because the measurements take minutes.
        for file in [json, markdown].compactMap({ $0 }) { try ResultFile.write("", to: file) }
        let names = only.isEmpty ? Set(ServerModels.all.map(\.name)) : Set(only + ["libuv"])
        let wanted = ServerModels.all.filter { names.contains($0.name) }
        let models = wanted.filter { $0.isAvailable() }
        for model in wanted where !models.contains(where: { $0.name == model.name }) {
            Console.writeError("uvbench: this system does not support the model \(model.name), which is left out\n")
        }
        let report = try measure(models, server)
        if let json { try ResultFile.write(report.json(), to: json) }
        if let markdown { try ResultFile.write(report.markdown(), to: markdown) }
        for line in report.lines() { try StandardOutput.write(line + "\n") }
    }

    private func measure(_ models: [ServerModel], _ server: ServerProgram) throws -> ModelReport {
        do {
            var benchmark = ModelBenchmark(models: models, program: server.path)
            benchmark.rounds = rounds
            benchmark.time = time.duration
            benchmark.progress = { step in
                Console.writeError("judging, step \(step.done + 1) of \(step.total): \(step.name)\n")
            }
            let stops = try StopRequests.handlingSignals()
            benchmark.isStopped = { stops.count > 0 }
            let figures = try benchmark.run(sources: directoryOfSources(), descriptorLimit: raisedDescriptorLimit())
            return ModelReport(figures, reference: benchmark.reference, version: "uvserver \(try server.version())")
        } catch let error as ComparisonError {
            throw ProgramFailure(message: error.description)
        } catch let error as SystemCallError {
            throw ProgramFailure(message: "cannot judge the models: \(error)")
        }
    }

    private func directoryOfSources() -> String? {
        if let directory = sources ?? SourceMeasure.findSources() { return directory }
        Console.writeError("cannot find the source files, so the amount of code is not measured; give --sources\n")
        return nil
    }

    private func raisedDescriptorLimit() throws(SystemCallError) -> Int {
        try DescriptorLimit.set(soft: .max)
        return try DescriptorLimit.current().soft
    }
}
