import Measurements

/// Returns whether the numbers differ by at most `tolerance` × max(1, |`expected`|).
func close(_ found: Double?, _ expected: Double, _ tolerance: Double = 1e-9) -> Bool {
    guard let found else { return false }
    return (found - expected).magnitude <= tolerance * max(1, expected.magnitude)
}

func close(_ found: Interval?, _ lower: Double, _ upper: Double, _ tolerance: Double = 1e-9) -> Bool {
    close(found?.lower, lower, tolerance) && close(found?.upper, upper, tolerance)
}
