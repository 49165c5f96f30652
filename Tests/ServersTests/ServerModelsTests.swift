import Servers
import Testing

@Suite struct ServerModelsTests {
    @Test func namesAreUniqueAndFound() {
        let names = ServerModels.all.map { $0.model.name }
        #expect(Set(names).count == names.count)
        for name in names { #expect(ServerModels.named(name)?.model.name == name) }
        #expect(ServerModels.named("nothing") == nil)
    }

    @Test(arguments: [
        ("libvu", "libuv"), ("libuv-eagr", "libuv-eager"), ("epol", "epoll"), ("sequental", "sequential"),
    ])
    func theNearestNameIsFound(_ typed: String, _ meant: String) {
        #expect(ServerModels.nearestName(to: typed) == meant)
    }
}
