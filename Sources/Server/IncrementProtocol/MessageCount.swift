extension ServerMachine {
    /// Returns the number of messages that the next bytes will close.
    ///
    /// The machine itself does not count messages, because counting would cost every server time. A server calls this
    /// function before `receive` if it measures messages.
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
