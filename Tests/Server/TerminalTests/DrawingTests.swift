import Testing

@testable import Terminal

@Suite struct DrawingTests {
    @Test func lanesShowWaitingAndServing() {
        let lanes = [
            LaneChart.Lane(name: "conn0", started: .zero, served: .zero, ended: .seconds(1), succeeded: true),
            LaneChart.Lane(name: "c1", started: .zero, served: .seconds(1), ended: .seconds(2), succeeded: true),
            LaneChart.Lane(name: "c2", started: .seconds(1), served: nil, ended: .seconds(2), succeeded: false),
        ]
        // The 40 columns are 5 for names, 3 for the frame, 8 for the verdict, and 24 for two seconds.
        #expect(
            LaneChart(lanes: lanes, width: 40, marks: .ascii).lines() == [
                "conn0 |############            | done",
                "c1    |............############| done",
                "c2    |            ............| failed",
                "       0 s                2.0 s",
                ". waiting   # served",
            ])
    }

    @Test func noLaneDrawsAnAxisOnly() {
        #expect(LaneChart(lanes: [], width: 0, marks: .blocks).lines().count == 2)
    }

    @Test func aTableAlignsItsColumns() {
        var table = TextTable(head: ["model", "n"])
        table.append(["libuv", "10000"])
        table.append(["x"])
        #expect(table.lines() == ["model      n", "libuv  10000", "x"])
    }
}
