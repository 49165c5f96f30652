extension ServerMachine {
    /// How many messages the next bytes will close.
    ///
    /// The machine itself does not count, which would cost every server; a server that measures asks before `receive`.
    public func messageCount(closedBy input: Span<UInt8>) -> Int {
        var isInMessage = isInMessage
        var count = 0
        for index in input.indices {
            let byte = input[index]
            if isInMessage, byte == ServerMachine.closing {
                isInMessage = false
                count += 1
            } else if byte == ServerMachine.opening {
                isInMessage = true
            }
        }
        return count
    }
}
