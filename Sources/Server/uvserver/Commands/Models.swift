import ArgumentParser
import Comparison
import Servers
import Synchronization
import SystemCalls

/// `uvserver models`: the models, one line each; or judged.
struct Models: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the concurrency models, or judge them.",
        discussion: """
            Without --judge, prints each model's name and how it works. With it, runs each model's server on this \
            machine, in a process of its own on the loopback address, against the same clients: 1, 100 and 1000 of \
            which at most ten are busy, one that stalls among many, and a connection for each request. Prints a \
            table with the speeds beside those of libuv in the same run and with what each model took to write, and \
            ranks the models.
            """)

    @Flag(help: "Judge the models; takes under two minutes.")
    var judge = false

    @Option(help: "Judge only this model and libuv; may be given several times. (default: all)")
    var only: [String] = []

    @Option(help: "How many times each speed is measured, 1 to 100.")
    var rounds = 20

    @Option(help: "How long each speed is measured at a time, 1ms to 10s.")
    var time = DurationArgument(.milliseconds(40))

    @Option(help: "The package's Sources directory. (default: found above the current directory or this program)")
    var sources: String?

    @Option(help: "Also write all figures to this file, as JSON.")
    var json: String?

    @Option(help: "Also write the table to this file, as Markdown.")
    var markdown: String?

    func validate() throws {
        if !judge, json != nil || markdown != nil || sources != nil || !only.isEmpty {
            throw ValidationError("--json, --markdown, --sources and --only need --judge")
        }
        try ValidRange.check(rounds, 1...100, "--rounds")
        guard time.duration >= .milliseconds(1), time.duration <= .seconds(10) else {
            throw ValidationError("--time is out of range; give 1ms to 10s")
        }
        for name in only { _ = try ServerModels.required(name) }
    }

    func run() throws {
        guard judge else { return list() }
        // Before a minute is spent: whether the files can be written.
        for file in [json, markdown] { try write("", to: file) }
        let names = only.isEmpty ? Set(ServerModels.all.map(\.name)) : Set(only + ["libuv"])
        let judgement = try measure(ServerModels.all.filter { names.contains($0.name) })
        for line in judgement.lines() { Console.write(line + "\n") }
        try write(judgement.json(), to: json)
        try write(judgement.markdown(), to: markdown)
    }

    private func list() {
        let width = ServerModels.all.map(\.name.count).max() ?? 0
        for model in ServerModels.all {
            let space = String(repeating: " ", count: width - model.name.count)
            Console.write("\(model.name)\(space)  \(model.summary)\n")
        }
    }

    private func measure(_ models: [ServerModel]) throws -> Judgement {
        do {
            var judge = Judge(models: models, program: try TextFile.destination(ofLink: "/proc/self/exe"))
            judge.rounds = rounds
            judge.time = time.duration
            judge.progress = { step in
                Console.writeError("judging, step \(step.done + 1) of \(step.total): \(step.name)\n")
            }
            judge.isStopped = try stopFlag()
            let figures = try judge.run(sources: directoryOfSources(), descriptorLimit: raisedDescriptorLimit())
            return Judgement(
                figures, reference: judge.reference, version: "uvserver \(UVServer.configuration.version)")
        } catch let error as ComparisonError {
            throw ProgramFailure(message: error.description)
        } catch let error as SystemCallError {
            throw ProgramFailure(message: "cannot judge: \(error)")
        }
    }

    /// Whether a signal has asked to stop, from here on.
    private func stopFlag() throws(SystemCallError) -> () -> Bool {
        let flag = StopFlag()
        StopSignals.ignoreBrokenPipe()
        try StopSignals.handle { flag.isSet.store(true, ordering: .relaxed) }
        return { flag.isSet.load(ordering: .relaxed) }
    }

    private func directoryOfSources() -> String? {
        if let directory = sources ?? SourceMeasure.findSources() { return directory }
        Console.writeError("the sources are not at hand, hence no figures of them; give --sources\n")
        return nil
    }

    private func raisedDescriptorLimit() throws(SystemCallError) -> Int {
        try DescriptorLimit.set(soft: .max)
        return try DescriptorLimit.current().soft
    }

    private func write(_ text: String, to file: String?) throws {
        guard let file else { return }
        do { try TextFile.write(text, to: file) } catch {
            throw ProgramFailure(message: "cannot write \(file) (\(error)); give a file that can be written")
        }
    }
}

/// Whether a signal has asked to stop.
private final class StopFlag: Sendable {
    let isSet = Atomic<Bool>(false)
}

extension ServerModels {
    /// The model with a name that was given on the command line.
    static func required(_ name: String) throws -> ServerModel {
        guard let model = named(name) else {
            throw ValidationError(
                "Unknown model '\(name)'; did you mean '\(nearestName(to: name))'? 'uvserver models' lists them")
        }
        return model
    }
}
