// Mistakes in closures of LibUV, and the messages that they cause. The file belongs to no target.
//
// scripts/check-compiler compiles it. The compiler must report each error on the line whose comment names it, and none on
// other lines.
import LibUV

// MARK: - The blocking `run`

func wrongType() throws {
    try UVLoop.run { loop in
        let number: Int = "a"  // error: cannot convert value of type 'String' to specified type 'Int'
        print(number, loop)
    }
}

func wrongTypeInOneLine() throws {
    try UVLoop.run { loop in let number: Int = "a" }  // error: cannot convert value of type 'String'
}

func wrongArgument() throws {
    try UVLoop.run { loop in
        print("before")
        try await loop.sleep(for: 3)  // error: cannot convert value of type 'Int' to expected argument type 'Duration'
    }
}

func wrongArgumentOfAnOverload() throws {
    try UVLoop.run { loop in
        let (stream, _) = try UVTCPStream.pair(on: loop)
        let connection = try UVConnection(stream)
        try await connection.write(17)  // error: no exact matches in call to instance method 'write'
    }
}

func unknownMember() throws {
    try UVLoop.run { loop in
        print(loop.nothing)  // error: value of type 'UVLoop' has no member 'nothing'
        try await loop.sleep(for: .zero)
    }
}

func unknownCase() throws {
    try UVLoop.run { loop in
        let connection = try await loop.connect(to: .nothing)  // error: type 'UVPipeName' has no member 'nothing'
        await connection.close()
    }
}

func errorWithoutType() throws {
    try UVLoop.run { loop in
        do {
            try await loop.sleep(for: .zero)
        } catch let error where error.code == .cancelled {  // error: value of type 'any Error' has no member 'code'
            print("cancelled")
        }
    }
}

func wrongArgumentInANestedClosure() throws {
    try UVLoop.run { loop in
        try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
            try await connections.serve { connection in
                while try await connection.read() != nil {
                    try await connection.write(17)  // error: no exact matches in call to instance method 'write'
                }
            }
        }
    }
}

func unknownMemberInANestedClosure() throws {
    try UVLoop.run { loop in
        try await loop.withTCPConnection(to: .loopback(port: 1)) { connection in
            try await connection.nothing()  // error: value of type 'UVConnection' has no member 'nothing'
        }
    }
}

func wrongArgumentInATask() throws {
    try UVLoop.run { loop in
        let task = loop.task { try await loop.sleep(for: 3) }  // error: cannot convert value of type 'Int'
        try await task.value
    }
}

func wrongResult() throws {
    let number: String = try UVLoop.run { loop in
        try await loop.sleep(for: .zero)
        return 5  // error: cannot convert value of type 'Int' to closure result type 'String'
    }
    print(number)
}

// MARK: - The awaited `run`, and other functions that run closures

func unknownMemberInAnAwaitedRun() async throws {
    try await UVLoop.run { loop in
        print(loop.nothing)  // error: value of type 'UVLoop' has no member 'nothing'
        try await loop.sleep(for: .zero)
    }
}

func wrongArgumentInAnAwaitedRun() async throws {
    try await UVLoop.run { loop in
        let (stream, _) = try UVTCPStream.pair(on: loop)
        try await UVConnection(stream).write(17)  // error: no exact matches in call to instance method 'write'
    }
}

func unknownMemberOnAThread() async throws {
    try await UVLoop.run(onThreadNamed: "loop") { loop in
        print(loop.nothing)  // error: value of type 'UVLoop' has no member 'nothing'
        try await loop.sleep(for: .zero)
    }
}

func unknownMemberInATask(_ loop: UVLoop) throws {
    try loop.runTask {
        print(loop.nothing)  // error: value of type 'UVLoop' has no member 'nothing'
        try await loop.sleep(for: .zero)
    }
}

func unknownMemberWithALoop() throws {
    try UVLoop.with { loop throws(UVError) in
        print(loop.nothing)  // error: value of type 'UVLoop' has no member 'nothing'
        try loop.run()
    }
}

func wrongMode(_ loop: UVLoop) throws {
    try loop.run(.nothing)  // error: type 'UVLoop.RunMode' has no member 'nothing'
}
