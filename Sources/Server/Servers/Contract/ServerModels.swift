/// The models that this package has, in the order of the series.
public enum ServerModels {
    /// Every model.
    public static let all: [ServerModel] = [
        .sequential, .threads, .threadPool, .select, .poll, .epoll, .libuv, .libuvEager, .libuvLoops, .async,
    ]

    /// The model with a name.
    public static func named(_ name: String) -> ServerModel? { all.first { $0.name == name } }
}
