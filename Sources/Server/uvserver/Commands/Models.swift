import ArgumentParser
import Servers
import Terminal

/// `uvserver models`: lists the models, one per line.
struct Models: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the concurrency models.")

    func run() throws {
        let width = ServerModels.all.map(\.name.count).max() ?? 0
        for model in ServerModels.all {
            let space = String(repeating: " ", count: width - model.name.count)
            let remark = model.isAvailable() ? "" : "; not available on this system"
            try StandardOutput.write("\(model.name)\(space)  \(model.summary)\(remark)\n")
        }
    }
}

extension ServerModels {
    /// Returns the model with a given name.
    ///
    /// - Throws: `ValidationError` if no model has the name.
    static func required(_ name: String) throws -> ServerModel {
        guard let model = named(name) else {
            throw ValidationError(
                UnknownName.message("model", name, among: all.map(\.name)) + " 'uvserver models' lists the models")
        }
        return model
    }
}
