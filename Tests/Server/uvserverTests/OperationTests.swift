import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Tests of the health check and of options in the environment.
extension ProgramTests {
    @Test(arguments: models) func aRunningServerIsHealthy(_ model: String) throws {
        let (process, output, errors, address) = try serve("--model", model)
        let health = try run("health", "\(address)")
        #expect(health.status == 0)
        #expect(health.output.isEmpty && health.errors.isEmpty)
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test func aClosedPortIsNotHealthy() throws {
        let address = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false).localAddress
        let health = try run("health", "\(address)")
        #expect(health.status == 1)
        #expect(health.errors == "uvserver: \(address): connect: Connection refused\n")
    }

    @Test func aServerThatDoesNotGreetIsNotHealthy() throws {
        // The kernel establishes the connection, but no process accepts it.
        let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: false)
        let health = try run("health", "--timeout", "50ms", "\(try listener.localAddress)")
        #expect(health.status == 1)
        #expect(health.errors.contains("did not send the greeting in time"))
        #expect(health.errors.split(separator: "\n").count == 1)
    }

    @Test func anInvalidServerAddressIsRejected() throws {
        for wrong in ["here", "127.0.0.1", "127.0.0.1:99999", "[::1]", ":9090"] {
            let health = try run("health", wrong)
            #expect(health.status == 64, "\(wrong)")
            #expect(health.errors.contains("use HOST:PORT"))
        }
    }

    @Test func theEnvironmentSetsOptions() throws {
        let (process, output, errors) = try start(
            ["serve"], environment: ["UVSERVER_PORT": "0", "UVSERVER_MODEL": "epoll", "UVSERVER_HOST": "::1"])
        let address = try listeningAddress(output)
        #expect(address.host == "::1")
        #expect(try run("health", "\(address)").status == 0)
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test func theCommandLineTakesPrecedence() throws {
        let (process, output, errors) = try start(
            ["serve", "--host", "::1", "--port=0"],
            environment: ["UVSERVER_PORT": "1", "UVSERVER_HOST": "127.0.0.1", "UVSERVER_LOOPS": ""])
        #expect(try listeningAddress(output).host == "::1")
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test func theErrorNamesAnInvalidVariable() throws {
        let wrong = [
            "UVSERVER_PORT": "tcp://10.0.0.1:9090", "UVSERVER_MODEL": "libvu", "UVSERVER_BACKLOG": "0",
            "UVSERVER_DRAIN_TIMEOUT": "soon", "UVSERVER_LOG_LEVEL": "loud",
        ]
        for (name, value) in wrong {
            let (process, output, errors) = try start(["serve"], environment: [name: value])
            let finished = try finish(process, output, errors)
            #expect(finished.status == 1)
            #expect(finished.errors.hasPrefix("uvserver: the variable \(name)='\(value)' is invalid: "))
            #expect(finished.errors.split(separator: "\n").count == 1)
        }
    }

    @Test func anInvalidVariableIsIgnoredIfTheCommandLineSetsTheOption() throws {
        let (process, output, errors) = try start(
            ["serve", "--port=0", "--model", "epoll"],
            environment: ["UVSERVER_PORT": "tcp://10.0.0.1:9090", "UVSERVER_MODEL": "libvu"])
        #expect(try listeningAddress(output).port != 0)
        kill(process.processIdentifier, SIGTERM)
        #expect(try finish(process, output, errors).status == 0)
    }

    @Test func helpIgnoresTheEnvironment() throws {
        for option in ["--help", "-h", "--version"] {
            let (process, output, errors) = try start(["serve", option], environment: ["UVSERVER_PORT": "none"])
            #expect(try finish(process, output, errors).status == 0)
        }
    }

    @Test func healthUsesTheAddressInTheEnvironment() throws {
        for (host, family) in [("::1", "::1"), ("::", "::1"), ("127.0.0.2", "127.0.0.2"), ("0.0.0.0", "127.0.0.1")] {
            let (process, output, errors) = try start(["serve", "--port", "0", "--host", host])
            let port = try listeningAddress(output).port
            let (health, healthOutput, healthErrors) = try start(
                ["health"], environment: ["UVSERVER_HOST": host, "UVSERVER_PORT": "\(port)"])
            let finished = try finish(health, healthOutput, healthErrors)
            #expect(finished.status == 0, "\(host), hence \(family): \(finished.errors)")
            kill(process.processIdentifier, SIGTERM)
            #expect(try finish(process, output, errors).status == 0)
        }
    }

    @Test func everyOptionOfServeNamesItsVariable() throws {
        let help = try run("serve", "--help").output
        let options = help.matches(of: /\n  --([a-z-]+) </).map { String($0.1) }
        #expect(options.count > 5)
        for option in options {
            let variable = "UVSERVER_" + option.uppercased().replacing("-", with: "_")
            #expect(help.contains("[\(variable)]"), "\(variable)")
        }
    }

    /// Several threads write to the log at the same time.
    ///
    /// Every line must still be a complete object.
    @Test(arguments: ["threads", "libuv"]) func everyLineOfAJSONLogIsAnObject(_ model: String) throws {
        let (process, output, errors, address) = try serve(
            "--model", model, "--log-format", "json", "--log-level", "trace")
        #expect(try run("health", "\(address)").status == 0)
        kill(process.processIdentifier, SIGTERM)
        let finished = try finish(process, output, errors)
        #expect(finished.status == 0)
        let lines = finished.errors.split(separator: "\n")
        #expect(lines.last?.contains("stopped: ") == true)
        for line in lines {
            let members = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(members?["level"] as? String != nil && members?["label"] as? String == "uvserver", "\(line)")
        }
    }
}
