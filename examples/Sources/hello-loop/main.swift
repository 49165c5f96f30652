import LibUV

// hello-loop runs a loop until its timer has fired three times. The loop then returns, because it has nothing left to
// wait for.
try UVLoop.with { loop throws(UVError) in
    let timer = try UVTimer(on: loop)
    var ticks = 0
    try timer.start(after: .milliseconds(10), repeating: .milliseconds(10)) { timer in
        ticks += 1
        print("tick \(ticks)")
        if ticks == 3 { timer.close() }
    }
    try loop.run()
    print("nothing left to do")
}
