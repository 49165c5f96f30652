/// The version that `uvserver` and `uvbench` print.
public enum PackageVersion {
    /// The version of this release.
    public static let current = "0.1.0"
}
