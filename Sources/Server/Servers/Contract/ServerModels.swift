/// The models in this package, in the order in which docs/models.md explains them.
public enum ServerModels {
    /// Every model.
    public static let all: [ServerModel] = [
        .sequential, .threads, .threadPool, .select, .poll, .epoll, .libuv, .libuvEager, .libuvLoops, .async, .ioUring,
    ]

    /// The models that this system supports.
    public static var available: [ServerModel] { all.filter { $0.isAvailable() } }

    /// Returns the model with the given name.
    public static func named(_ name: String) -> ServerModel? { all.first { $0.name == name } }
}
