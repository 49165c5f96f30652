/// The conditions under which a comparison holds.
public struct Circumstances: Hashable, Codable, Sendable {
    /// The number of blocks.
    public var blocks: Int
    /// The number of requests to each server in a block.
    public var requestsPerBlock: Int
    /// The text that describes when requests are sent, for example `at 2000/s Poisson` or `in a closed loop`.
    public var pacing: String
    /// The number of times that the servers were started.
    public var starts: Int
    /// The share of processor time that was stolen.
    public var stealShare: Double
    /// Whether single requests to different servers were paired.
    ///
    /// If false, slices of time were interleaved.
    public var isPaired = true

    /// Describes a comparison in one sentence.
    ///
    /// A sentence that names no kind of latency is about the wire time.
    func sentence(
        on candidate: String, comparedWith reference: String, at endpoint: Endpoint, ratio: BlockEstimate,
        margin: Margin, verdict: Verdict, noiseFloor: NoiseFloor?
    ) -> String {
        let name = "\(endpoint.percentile)" + (endpoint.clock == .wire ? "" : " \(endpoint.clock.title)")
        let pairing = isPaired ? "paired blocks" : "interleaved blocks"
        let starting = starts == 1 ? "1 start" : "\(starts) starts"
        let itself = noiseFloor.map { "A/A today \($0.text)" } ?? "no A/A"
        let steal = DecimalText.fixed(stealShare * 100, places: 1)
        return "\(candidate) \(name) is \(RatioText.number(ratio.value))x \(reference) \(name) "
            + "\(RatioText.interval(ratio.interval)), 95% interval, \(blocks) \(pairing) x "
            + "\(requestsPerBlock) requests \(pacing), \(starting): "
            + "\(verdict.rawValue) at \(margin) (\(itself), steal \(steal)%)"
    }
}
