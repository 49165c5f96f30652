import ArgumentParser
import Servers
import SystemCalls

/// `uvserver models`: the models, one line each.
struct Models: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the concurrency models, one line each.")

    func run() {
        let width = ServerModels.all.map { $0.model.name.count }.max() ?? 0
        for type in ServerModels.all {
            let space = String(repeating: " ", count: width - type.model.name.count)
            StandardOutput.write("\(type.model.name)\(space)  \(type.model.summary)\n")
        }
    }
}
