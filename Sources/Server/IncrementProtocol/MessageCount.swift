extension ServerMachine {
    /// Returns the number of messages that the machine will close if it receives these bytes next.
    ///
    /// The machine itself does not count messages, because counting would make every server slower. A server that
    /// measures messages calls this function before `receive`.
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
