/// A comparison in one sentence, with all that is needed to doubt it.
public struct VerdictSentence: Hashable, Sendable {
    /// What the sentence tells of the load.
    public struct Circumstances: Hashable, Codable, Sendable {
        /// How many blocks there were.
        public var blocks: Int
        /// How many requests each block gave to each variant.
        public var requestsPerBlock: Int
        /// How requests followed each other, as `at 2000/s Poisson` or `in a closed loop`.
        public var pacing: String
        /// How often the servers were started.
        public var starts: Int
        /// The share of processor time that was stolen.
        public var stealShare: Double
        /// Whether consecutive requests were paired, and not slices of time.
        public var isPaired = true

        /// Makes circumstances.
        public init(blocks: Int, requestsPerBlock: Int, pacing: String, starts: Int, stealShare: Double) {
            self.blocks = blocks
            self.requestsPerBlock = requestsPerBlock
            self.pacing = pacing
            self.starts = starts
            self.stealShare = stealShare
        }
    }

    let reference: String
    let candidate: String
    let endpoint: Endpoint
    let ratio: BlockEstimate
    let margin: Margin
    let verdict: Verdict
    let resolution: Resolution?
    let circumstances: Circumstances

    /// The sentence, in which a percentile without a clock is one of the wire time.
    public var text: String {
        let name = "\(endpoint.percentile)" + (endpoint.clock == .wire ? "" : " \(endpoint.clock.title)")
        let blocks = circumstances.isPaired ? "paired blocks" : "interleaved blocks"
        let starts = circumstances.starts == 1 ? "1 start" : "\(circumstances.starts) starts"
        let itself = resolution.map { "A/A today \($0.text)" } ?? "no A/A"
        let steal = DecimalText.fixed(circumstances.stealShare * 100, places: 1)
        return "\(candidate) \(name) is \(RatioText.number(ratio.value))x \(reference) \(name) "
            + "\(RatioText.interval(ratio.interval)), 95% interval, \(circumstances.blocks) \(blocks) x "
            + "\(circumstances.requestsPerBlock) requests \(circumstances.pacing), \(starts): "
            + "\(verdict.rawValue) at \(margin) (\(itself), steal \(steal)%)"
    }
}
