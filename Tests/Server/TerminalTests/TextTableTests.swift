import Terminal
import Testing

@Suite struct TextTableTests {
    @Test func aTableAlignsItsColumns() {
        var table = TextTable(head: ["model", "n"])
        table.append(["libuv", "10000"])
        table.append(["x"])
        #expect(table.lines() == ["model      n", "libuv  10000", "x"])
    }
}
