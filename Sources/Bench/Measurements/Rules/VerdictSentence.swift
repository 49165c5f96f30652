/// A comparison in one sentence, with the conditions under which it holds.
public struct VerdictSentence: Hashable, Sendable {
    /// The conditions of the load that the sentence states.
    public struct Circumstances: Hashable, Codable, Sendable {
        /// The number of blocks.
        public var blocks: Int
        /// The number of requests to each variant in a block.
        public var requestsPerBlock: Int
        /// The pacing of requests, for example `at 2000/s Poisson` or `in a closed loop`.
        public var pacing: String
        /// The number of starts of the servers.
        public var starts: Int
        /// The share of processor time that was stolen.
        public var stealShare: Double
        /// Whether consecutive requests were paired, rather than slices of time.
        public var isPaired = true
    }

    let reference: String
    let candidate: String
    let endpoint: Endpoint
    let ratio: BlockEstimate
    let margin: Margin
    let verdict: Verdict
    let noiseFloor: NoiseFloor?
    let circumstances: Circumstances

    /// The sentence; a percentile without a named latency is one of the wire time.
    public var text: String {
        let name = "\(endpoint.percentile)" + (endpoint.clock == .wire ? "" : " \(endpoint.clock.title)")
        let blocks = circumstances.isPaired ? "paired blocks" : "interleaved blocks"
        let starts = circumstances.starts == 1 ? "1 start" : "\(circumstances.starts) starts"
        let itself = noiseFloor.map { "A/A today \($0.text)" } ?? "no A/A"
        let steal = DecimalText.fixed(circumstances.stealShare * 100, places: 1)
        return "\(candidate) \(name) is \(RatioText.number(ratio.value))x \(reference) \(name) "
            + "\(RatioText.interval(ratio.interval)), 95% interval, \(circumstances.blocks) \(blocks) x "
            + "\(circumstances.requestsPerBlock) requests \(circumstances.pacing), \(starts): "
            + "\(verdict.rawValue) at \(margin) (\(itself), steal \(steal)%)"
    }
}
