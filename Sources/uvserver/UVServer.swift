import ArgumentParser

@main
struct UVServer: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "uvserver")
}
