/// The version that both programs print.
public enum PackageVersion {
    /// The version of this release.
    public static let current = "0.1.0"
}
