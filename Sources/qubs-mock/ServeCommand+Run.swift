import Dispatch
import Fixtures
import Glibc
import HTTPTransport
import MockServer
import Synchronization

extension ServeCommand {
    /// How long running answers have after the first signal.
    private static let grace = Duration.seconds(5)

    /// Serves until SIGINT or SIGTERM; a second signal ends the process at once.
    static func serve(_ configuration: Configuration) throws(Failure) {
        // From the first moment on: whoever reads the ready file may stop the server at once.
        let signals = StopSignals()
        // Whoever waits for the file must not find the address of the server before.
        if let path = configuration.readyFile { unlink(path) }
        let application = try ServerComposition.application(configuration)
        let listener: Listener
        do throws(SystemError) {
            listener = try Listener(
                configuration: configuration.transport,
                handler: application
            )
        } catch {
            throw Failure(message: listenFailure(error, configuration))
        }
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let baseURL = "http://\(host):\(listener.port)"
        application.listens(at: baseURL)
        listener.start()
        if let path = configuration.readyFile {
            do throws(FileError) {
                try FileSystem.replace(path, with: Array("\(baseURL)\n".utf8))
            } catch {
                throw Failure(message: "--ready-file \(error)")
            }
        }
        if let token = application.generatedAdminToken {
            Output.error("qubs-mock: admin token for /__admin: \(token)")
        }
        Output.line("qubs-mock listening on \(baseURL)")
        signals.waitForFirst()
        listener.stop(grace: grace)
        application.close()
        if let path = configuration.readyFile { unlink(path) }
        Glibc.exit(0)
    }

    private static func listenFailure(
        _ error: SystemError,
        _ configuration: Configuration
    ) -> String {
        let place = "\(configuration.host):\(configuration.port)"
        if error.code == EADDRINUSE {
            return "\(place) is in use: stop what listens there, or choose another with --port "
                + "(0 takes a free one)"
        }
        return "cannot listen on \(place): \(error)"
    }
}

/// SIGINT and SIGTERM, from when this was made: the first can be waited for, a second one ends the
/// process at once.
final class StopSignals {
    private let first = DispatchSemaphore(value: 0)
    private let sources: [any DispatchSourceSignal]

    init() {
        let queue = DispatchQueue(label: "qubs-mock.signals")
        let registration = DispatchGroup()
        let count = Atomic(0)
        sources = [SIGINT, SIGTERM].map { [first] number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            registration.enter()
            source.setRegistrationHandler { registration.leave() }
            source.setEventHandler {
                if count.add(1, ordering: .relaxed).oldValue > 0 { Glibc._exit(128 + number) }
                first.signal()
            }
            source.activate()
            return source
        }
        // Until a source is registered, its signal has the effect that it had before: nobody may
        // learn of the server while that is to end it, or to be ignored.
        registration.wait()
    }

    func waitForFirst() { first.wait() }
}
