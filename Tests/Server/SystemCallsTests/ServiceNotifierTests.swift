import SystemCalls
import Testing

/// Tests of notifications to a service manager.
@Suite(.timeLimit(.minutes(1))) struct ServiceNotifierTests {
    private func notifier(to name: String) throws -> ServiceNotifier {
        try #require(try ServiceNotifier(environment: ["NOTIFY_SOCKET": name]))
    }

    @Test(arguments: NotificationReceiver.Kind.allCases)
    func notificationsArriveInOrder(_ kind: NotificationReceiver.Kind) throws {
        let receiver = try NotificationReceiver(kind)
        let notifier = try notifier(to: receiver.name)
        for notification in [ServiceNotifier.Notification.ready, .status("a\nb"), .alive, .stopping] {
            #expect(try notifier.send(notification))
        }
        let received = (0..<4).map { _ in receiver.next() }
        #expect(received == ["READY=1", "STATUS=a b", "WATCHDOG=1", "STOPPING=1"])
        #expect(receiver.next(timeout: .zero) == nil)
    }

    @Test(arguments: NotificationReceiver.Kind.allCases)
    func theLongestNameIsReached(_ kind: NotificationReceiver.Kind) throws {
        let receiver = try NotificationReceiver(kind, nameLength: ServiceNotifier.longestName)
        #expect(receiver.name.utf8.count == 108)
        try notifier(to: receiver.name).send(.ready)
        #expect(receiver.next() == "READY=1")
    }

    @Test func aLongerNameIsRejected() {
        let name = "@" + String(repeating: "n", count: ServiceNotifier.longestName)
        let error = #expect(throws: ServiceManagerError.self) { _ = try notifier(to: name) }
        #expect(error?.reason == "is too long; the limit is 108 bytes")
    }

    @Test(arguments: ["", "/", "@", "run/notify", "vsock:2:1234", " /run/notify"])
    func anInvalidNameIsRejected(_ name: String) {
        let error = #expect(throws: ServiceManagerError.self) {
            _ = try ServiceNotifier(environment: ["NOTIFY_SOCKET": name])
        }
        #expect(error?.subject == "NOTIFY_SOCKET='\(name)'")
        #expect(error?.reason.contains("absolute path") == true)
    }

    @Test func withoutTheVariableThereIsNoNotifier() throws {
        #expect(try ServiceNotifier(environment: ["NOTIFY": "/run"]) == nil)
    }

    @Test func aSocketWithoutAManagerIsAnError() throws {
        let name = try NotificationReceiver(.abstract).name
        let notifier = try notifier(to: name)
        #expect(throws: SystemCallError(code: Errno.connectionRefused, call: "sendto")) {
            try notifier.send(.ready)
        }
    }

    @Test func aFullQueueIsAResultAndDoesNotBlock() throws {
        let receiver = try NotificationReceiver(.abstract)
        let notifier = try notifier(to: receiver.name)
        var sent = 0
        while try notifier.send(.alive) { sent += 1 }
        #expect(sent > 0)
        #expect(receiver.next() == "WATCHDOG=1")
        // The receiver has removed a datagram, so the queue has room for one more.
        #expect(try notifier.send(.stopping))
        #expect(try !notifier.send(.stopping))
    }

    @Test func aManagerThatStartsLaterReceivesNotifications() throws {
        let notifier: ServiceNotifier
        let name: String
        do {
            let first = try NotificationReceiver(.path, nameLength: 60)
            name = first.name
            notifier = try self.notifier(to: name)
            try notifier.send(.ready)
            #expect(first.next() == "READY=1")
        }
        #expect(throws: SystemCallError.self) { try notifier.send(.alive) }
    }
}

/// Tests of the heartbeat interval that a service manager requests.
@Suite struct WatchdogTests {
    @Test func theIntervalIsHalfOfTheTimeout() throws {
        let watchdog = try #require(try Watchdog(environment: ["WATCHDOG_USEC": "3000000"], process: 7))
        #expect(watchdog.timeout == .seconds(3))
        #expect(watchdog.interval == .milliseconds(1500))
        #expect(try Watchdog(environment: ["WATCHDOG_USEC": "1", "WATCHDOG_PID": "7"], process: 7) != nil)
    }

    @Test func aWatchdogForAnotherProcessIsIgnored() throws {
        #expect(try Watchdog(environment: ["WATCHDOG_USEC": "1", "WATCHDOG_PID": "8"], process: 7) == nil)
        #expect(try Watchdog(environment: ["WATCHDOG_PID": "7"], process: 7) == nil)
        #expect(try Watchdog(environment: [:], process: 7) == nil)
    }

    @Test(arguments: ["", "0", "-1", "+1", "1 ", "1.5", "0x10", "1s", "18446744073709551615", "18446744073709551616"])
    func anInvalidTimeIsRejected(_ text: String) {
        let error = #expect(throws: ServiceManagerError.self) {
            _ = try Watchdog(environment: ["WATCHDOG_USEC": text], process: 7)
        }
        #expect(error?.subject == "WATCHDOG_USEC='\(text)'")
    }

    @Test func anInvalidProcessNumberIsRejected() {
        #expect(throws: ServiceManagerError(subject: "WATCHDOG_PID='me'", reason: "must be a whole number")) {
            _ = try Watchdog(environment: ["WATCHDOG_USEC": "1", "WATCHDOG_PID": "me"], process: 7)
        }
    }

    @Test func aTimerFiresOncePerStart() throws {
        var timer = try OneShotTimer()
        var poller = PollPoller()
        try poller.add(timer.rawValue, .readable)
        #expect(try poller.wait(timeout: .zero) == 0)
        for _ in 0..<3 {
            timer.start(after: .milliseconds(1))
            #expect(try poller.wait(timeout: .seconds(20)) == 1)
            timer.clear()
            #expect(try poller.wait(timeout: .zero) == 0)
        }
        timer.start(after: .seconds(3600))
        #expect(try poller.wait(timeout: .zero) == 0)
        // This start replaces the previous start. A timer with a delay of zero also fires.
        timer.start(after: .zero)
        #expect(try poller.wait(timeout: .seconds(20)) == 1)
    }
}
