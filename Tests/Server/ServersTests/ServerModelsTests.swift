import Foundation
import Servers
import Testing

@Suite struct ServerModelsTests {
    @Test func namesAreUniqueAndFound() {
        let names = ServerModels.all.map(\.name)
        #expect(Set(names).count == names.count)
        for name in names { #expect(ServerModels.named(name)?.name == name) }
        #expect(ServerModels.named("nothing") == nil)
    }

    @Test func everyModelHasASectionAndADrawing() throws {
        let documents = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs")
        let text = try String(contentsOf: documents.appending(path: "models.md"), encoding: .utf8)
        for model in ServerModels.all {
            let section = try #require(
                text.components(separatedBy: "\n## ").first { $0.hasPrefix("\(model.name)\n") }, "\(model.name)")
            #expect(section.contains("](models/\(model.name).svg)"), "\(model.name)")
            for part in ["**The three clients**", "**Choose it**"] {
                #expect(section.contains(part), "\(model.name)")
            }
            let drawing = try String(
                contentsOf: documents.appending(path: "models/\(model.name).svg"), encoding: .utf8)
            #expect(drawing.contains("prefers-color-scheme: dark"), "\(model.name)")
        }
    }

    @Test func everySourceFileExistsAndBeginsWithTheModel() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Sources")
        for model in ServerModels.all {
            for file in model.sources {
                let text = try String(contentsOf: sources.appending(path: file + ".swift"), encoding: .utf8)
                #expect(!text.isEmpty)
                guard file.hasPrefix("Server/Servers/Models/") else { continue }
                // The comment before the first declaration explains how the model works, and what limits it.
                let head = text.components(separatedBy: "extension ServerModel")[0]
                #expect(head.contains("// "), "\(file)")
                #expect(head.replacing("\n// ", with: " ").contains("limit"), "\(file)")
            }
        }
    }
}
