import ArgumentParser
import Servers
import SystemCalls

/// `uvserver models`: the models, one line each.
struct Models: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the concurrency models, one line each.")

    func run() {
        let width = ServerModels.all.map(\.name.count).max() ?? 0
        for model in ServerModels.all {
            let space = String(repeating: " ", count: width - model.name.count)
            StandardOutput.write("\(model.name)\(space)  \(model.summary)\n")
        }
    }
}
