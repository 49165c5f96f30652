import Foundation
import Servers
import Testing

@testable import Comparison

@Suite struct SourceMeasureTests {
    @Test func linesWithCodeCount() {
        let text = """
            // A comment.
            import Something

            let a = 1  // and a comment behind it
            /// Documentation.
            func f() {
                g("// no comment")
            }

            """
        #expect(SourceMeasure(of: text) == SourceMeasure(codeLines: 5, states: 0))
    }

    @Test func storedVariablesAndCasesAreStates() {
        let text = """
            struct Machine {
                private var count = 0
                private(set) public var name: String
                unowned var owner: Owner
                static var shared = 1
                let constant = 2
                var computed: Int { count + 1 }
                var long: Int {
                    var local = count
                    local += 1
                    return local
                }
                func run() {
                    var local = 0
                    switch local { case 0: break; case 1, 2: break; default: break }
                }
            }
            enum State { case idle, busy(Int, Int), done }
            indirect enum Tree {
                case leaf
                indirect case branch(Tree, Tree)
                var depth: Int { 0 }
            }
            """
        // The nine states are four stored properties, three cases on one line, and two cases on their own lines.
        #expect(SourceMeasure(of: text) == SourceMeasure(codeLines: 23, states: 9))
    }

    @Test func nestedDeclarationsCountInTheirOwnType() {
        let text = """
            final class Server<Waiting: Poller & ~Copyable>: Thing {
                private struct Record {
                    var a = 0
                    /// Said in words: var b = 0
                    var c = "var d = 0 }"
                }
                private let record = Monitor(Record())
                init<Other>(
                    of other: Other
                ) {
                    var local = 0
                    body { value in var inner = value; local = inner }
                }
                class func make() -> Server {
                    var made = Server()
                    return made
                }
            }
            extension Server {
                private enum Kind {
                    case one
                }
            }
            """
        #expect(SourceMeasure(of: text).states == 3)
    }

    @Test func codeInLiteralsIsNotCounted() {
        let text = #"""
            struct S {
                var a = "}"
                var b = "\(names.map { "}\"" }) and \\"
                var c = """
                    struct T { var x = 0
                    }}} \(value)
                    """
                var d = 0  // }
            }
            var e = 0
            """#
        #expect(SourceMeasure(of: text) == SourceMeasure(codeLines: 10, states: 4))
    }

    @Test func anEmptySourceCountsAsZero() {
        #expect(SourceMeasure(of: "") == SourceMeasure())
        #expect(SourceMeasure(of: "\n\n   \n// only words\n") == SourceMeasure())
    }

    @Test func omittedStructuresAreNotCounted() {
        let text = """
            let a = 1
            /// Comment.
            struct One: Thing {
                var b = 0
                func f() {
                }
            }
            struct OneMore: Thing {
                var c = 0
            }
            """
        #expect(SourceMeasure(of: text, omitting: ["One"]) == SourceMeasure(codeLines: 4, states: 1))
        #expect(SourceMeasure(of: text, omitting: ["Two"]) == SourceMeasure(of: text))
    }

    @Test func aModelNamesOnlyTypesThatItsSourcesDeclare() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Sources").path
        for model in ServerModels.all {
            let all = try #require(SourceMeasure.ofFiles(model.sources, in: sources))
            for type in model.unusedTypes {
                let others = try #require(SourceMeasure.ofFiles(model.sources, omitting: [type], in: sources))
                #expect(others.codeLines < all.codeLines, "\(model.name): \(type)")
            }
        }
        #expect(ServerModels.all.contains { !$0.unusedTypes.isEmpty })
    }

    @Test func everyModelCanBeMeasured() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Sources").path
        for model in ServerModels.all {
            let measure = try #require(SourceMeasure(of: model, in: sources), "\(model.name)")
            let session = try #require(SourceMeasure.ofFiles(["Server/IncrementProtocol/ServerSession"], in: sources))
            #expect(measure.codeLines > session.codeLines + 20, "\(model.name)")
            #expect(measure.states > 5, "\(model.name)")
        }
        #expect(SourceMeasure.ofFiles(["Server/Servers/Models/Nothing"], in: sources) == nil)
    }

    @Test func theSourcesAreFoundAboveTheProgram() throws {
        let found = try #require(SourceMeasure.findSources())
        #expect(FileManager.default.fileExists(atPath: "\(found)/Server/Servers/Models"))
    }
}
