@testable import uvserver
import Testing

@Suite struct ServingStateTests {
    @Test func itOnlyMovesForward() {
        let state = ServingState()
        #expect(state.phase == .starting)
        state.advance(to: .ready)
        #expect(state.phase == .ready)
        state.advance(to: .draining)
        // If a server is stopped during its start, it may become ready after the drain has begun.
        state.advance(to: .ready)
        #expect(state.phase == .draining)
        state.advance(to: .stopped)
        #expect(state.phase == .stopped)
    }
}
