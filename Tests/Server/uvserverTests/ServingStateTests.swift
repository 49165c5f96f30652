@testable import uvserver
import Testing

@Suite struct ServingStateTests {
    @Test func itOnlyMovesForward() {
        let state = ServingState()
        #expect(state.phase == .starting)
        state.advance(to: .ready)
        #expect(state.phase == .ready)
        state.advance(to: .draining)
        // The server was stopped before it was ready.
        state.advance(to: .ready)
        #expect(state.phase == .draining)
        state.advance(to: .stopped)
        #expect(state.phase == .stopped)
    }
}
