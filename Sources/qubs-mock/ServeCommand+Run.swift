import Dispatch
import Glibc
import HTTPMessage
import HTTPTransport
import MockServer
import Synchronization

extension ServeCommand {
    /// How long running answers have after the first signal.
    private static let grace = Duration.seconds(5)

    /// Serves until a signal; see `StopSignals`.
    static func serve(_ configuration: Configuration) throws(Failure) {
        let readyFile = try configuration.readyFile.map { path throws(Failure) in
            try ReadyFile(path)
        }
        // A file that may not grow further is an error of one write, not the end of the program.
        signal(SIGXFSZ, SIG_IGN)
        // From the first moment on: whoever reads the ready file may stop the server at once.
        let signals = StopSignals { readyFile?.remove() }
        let application = try ServerComposition.application(configuration)
        let listener: Listener
        do throws(SystemError) {
            listener = try Listener(
                configuration: configuration.transport,
                handler: application
            )
        } catch {
            application.close()
            throw Failure(message: listenFailure(error, configuration))
        }
        let place = Authority(host: configuration.transport.host, port: listener.port)
        let baseURL = "http://\(place.text)"
        application.listens(at: baseURL)
        listener.start()
        do throws(Failure) {
            // Nothing that can fail comes after it.
            try readyFile?.write(baseURL)
        } catch {
            listener.stop(grace: .zero)
            application.close()
            throw error
        }
        if let token = application.generatedAdminToken {
            Output.error("qubs-mock: admin token for /__admin: \(token)")
        }
        Output.line("qubs-mock listening on \(baseURL)")
        Allocator.returnFreeMemory()
        signals.waitForFirst()
        tellWhatRuns(listener)
        listener.stop(grace: grace)
        application.close()
        #if WATCHDOG
            if let longest = application.watchdog.longest {
                Output.error("qubs-mock: longest turn: \(longest)")
            }
        #endif
        readyFile?.remove()
        Glibc.exit(0)
    }

    /// Why nothing can listen, and what to do.
    static func listenFailure(
        _ error: SystemError,
        _ configuration: Configuration
    ) -> String {
        let place = Authority(
            host: configuration.transport.host,
            port: configuration.transport.port
        ).text
        if error.code == EADDRINUSE {
            return "\(place) is in use: stop what listens there, or choose another with --port "
                + "(0 takes a free one)"
        }
        let host = configuration.transport.host
        switch (error.call, error.code) {
        case (_, EADDRNOTAVAIL):
            return
                "cannot listen on \(place): \(host) is no address of this machine; choose one with "
                + "--host (127.0.0.1 for this machine alone, 0.0.0.0 for all)"
        case (_, EACCES), (_, EPERM):
            return
                "cannot listen on \(place): this port needs rights of the administrator; choose one "
                + "from 1024 on with --port"
        case ("getaddrinfo", _):
            return
                "cannot listen on \(place): \(host) is no address, and no host of this name is found; "
                + "choose another with --host"
        default: return "cannot listen on \(place): \(error)"
        }
    }

    /// Says after a moment what a server that stops still waits for.
    private static func tellWhatRuns(_ listener: Listener) {
        let queue = DispatchQueue(label: "qubs-mock.stopping")
        queue.asyncAfter(deadline: .now() + .milliseconds(300)) { [weak listener] in
            guard let count = listener?.statistics.openConnections, count > 0 else { return }
            Output.error(
                "qubs-mock: stopping: \(count) \(count == 1 ? "answer is" : "answers are") still "
                    + "running, for at most \(grace.components.seconds) s; Ctrl-C again stops at once"
            )
        }
    }
}

/// The signals that stop a server, from when this was made.
///
/// The first of SIGINT, SIGTERM and SIGHUP can be waited for. A second SIGINT or SIGTERM ends the
/// process at once, and so does SIGQUIT. SIGHUP comes twice when a terminal is closed, once from the
/// kernel and once from the shell: it is never the one too many.
final class StopSignals {
    private let first = DispatchSemaphore(value: 0)
    private let sources: [any DispatchSourceSignal]

    /// - Parameter atOnce: What is still to be done when the process ends at once.
    init(atOnce: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "qubs-mock.signals")
        let registration = DispatchGroup()
        let count = Atomic(0)
        // What nohup, or a shell in the background, has told it to ignore stays ignored.
        let others = [SIGHUP, SIGQUIT].filter { !Spawn.isIgnored($0) }
        sources = ([SIGINT, SIGTERM] + others).map { [first] number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            registration.enter()
            source.setRegistrationHandler { registration.leave() }
            source.setEventHandler {
                let isFirst = count.add(1, ordering: .relaxed).oldValue == 0
                if number == SIGQUIT || !isFirst && number != SIGHUP {
                    atOnce()
                    Glibc._exit(128 + number)
                }
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
