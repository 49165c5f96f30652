import Testing

@testable import Clients
@testable import uvserver

@Suite struct LaneChartTests {
    @Test func lanesShowWaitingAndServing() {
        let clients = [
            SimulatedClient.Outcome(name: "conn0", started: .zero, greeted: .zero, ended: .seconds(1)),
            SimulatedClient.Outcome(name: "c1", started: .zero, greeted: .seconds(1), ended: .seconds(2)),
            SimulatedClient.Outcome(name: "c2", started: .seconds(1), ended: .seconds(2), failure: "no reply"),
        ]
        // Of the 40 columns, 5 are for the names, 3 for the frame, 8 for the result, and 24 for the time axis of two seconds.
        #expect(
            LaneChart(clients: clients, width: 40, marks: .ascii).lines() == [
                "conn0 |############            | done",
                "c1    |............############| done",
                "c2    |            ............| failed",
                "       0 s                2.0 s",
                ". waiting   # served",
            ])
    }

    @Test func noClientDrawsAnAxisOnly() {
        #expect(LaneChart(clients: [], width: 0, marks: .blocks).lines().count == 2)
    }
}
