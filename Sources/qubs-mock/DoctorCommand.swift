import ArgumentParser
import Glibc
import HTTPMessage
import HTTPTransport
import MockServer
import Store
import Time

/// `qubs-mock doctor`: what would keep `serve` from starting, or clients from reaching it.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what stands in the way of serve with these options, and what to do.",
        usage: "qubs-mock doctor [<options of serve>]",
        discussion: """
            It looks at the port, proxy variables, the clock, the limit of open files, the folder for \
            temporary files, the database, the files of --fixtures, --faults and --scenario, and an old \
            ready file. Each finding is a line.

            Exit status: 0 nothing stands in the way, 1 something does.
            """
    )

    @OptionGroup var serve: ServeCommand

    func run() throws {
        let findings = Diagnosis(
            configuration: try serve.configuration(),
            environment: Program.environment()
        ).findings()
        if findings.isEmpty {
            Output.line("nothing stands in the way of qubs-mock serve")
            return
        }
        for finding in findings { Output.line(finding) }
        throw ExitCode(1)
    }
}

/// The looks that `doctor` takes at a machine; each is `nil`, or a line that says what to do.
struct Diagnosis {
    let configuration: Configuration
    let environment: [String: String]

    func findings() -> [String] {
        [port(), proxy(), clock(), descriptors(), temporaryFolder(), database()].compactMap(\.self)
            + inputs() + [readyFile()].compactMap(\.self)
    }

    // MARK: Port

    private func port() -> String? {
        let transport = configuration.transport
        do throws(SystemError) {
            try Self.tryToListen(host: transport.host, port: transport.port)
            return nil
        } catch {
            return "port: " + ServeCommand.listenFailure(error, configuration)
        }
    }

    /// Listens for a moment, as a server does.
    private static func tryToListen(host: String, port: Int) throws(SystemError) {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let found = getaddrinfo(host, String(port), &hints, &list)
        guard found == 0, let first = list else {
            throw SystemError(
                call: "getaddrinfo",
                code: 0,
                reason: String(cString: gai_strerror(found))
            )
        }
        defer { freeaddrinfo(list) }
        let info = first.pointee
        let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
        guard descriptor >= 0 else { throw SystemError(call: "socket", code: errno) }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_REUSEADDR,
            &yes,
            socklen_t(MemoryLayout<Int32>.size)
        )
        guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0 else {
            throw SystemError(call: "bind", code: errno)
        }
        guard listen(descriptor, 1) == 0 else { throw SystemError(call: "listen", code: errno) }
    }

    // MARK: Proxy

    /// Proxies of a client that would get the requests for this machine; what they are is not told,
    /// since a URL may hold a password.
    private func proxy() -> String? {
        let names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        guard let name = names.first(where: { !(environment[$0] ?? "").isEmpty }) else {
            return nil
        }
        let exceptions = ["no_proxy", "NO_PROXY"].flatMap { name in
            (environment[name] ?? "").split { $0 == "," || $0 == " " }
        }
        let host = ServerAddress.reachable(configuration.transport.host)
        if exceptions.contains("*") || exceptions.contains(Substring(host)) { return nil }
        return "proxy: \(name) sends what clients ask of \(host) to a proxy: "
            + "add \(host),localhost to NO_PROXY and no_proxy"
    }

    // MARK: Clock

    /// The year of the oldest certificate and token that anybody still takes is later than this.
    private static let firstPlausible: Int64 = 1_577_836_800

    private func clock() -> String? {
        let now = SystemTime.wall()
        do throws(Failure) {
            try ServerComposition.checkClock(now)
        } catch {
            return "clock: " + error.message
        }
        if now / 1_000_000_000 >= Self.firstPlausible { return nil }
        return "clock: the system's clock stands at \(Timestamp.text(now)): set it, or clients "
            + "on other machines take no token"
    }

    // MARK: Descriptors

    private func descriptors() -> String? {
        let wanted = configuration.transport.maximumConnections
        let (available, shares) = DescriptorLimit.shares(for: configuration)
        if shares.connections >= wanted { return nil }
        return "descriptors: this process may open \(available) files, enough for "
            + "\(shares.connections) connections at once instead of \(wanted): raise the limit "
            + "(ulimit -n), or say --max-connections \(shares.connections)"
    }

    // MARK: Temporary files

    /// The data of several sessions.
    private static let leastOctets: UInt64 = 64 << 20

    private func temporaryFolder() -> String? {
        if configuration.databasePath != nil { return nil }
        let folder = ServerComposition.temporaryFolder()
        let place = "temporary folder: \(folder)"
        let advice = "set TMPDIR to a folder that can be written"
        var status = stat()
        guard stat(folder, &status) == 0 else { return "\(place) is not there: \(advice)" }
        guard status.st_mode & S_IFMT == S_IFDIR else { return "\(place) is no folder: \(advice)" }
        guard access(folder, W_OK | X_OK) == 0 else {
            return "\(place) cannot be written: \(advice)"
        }
        var system = statvfs()
        guard statvfs(folder, &system) == 0 else { return nil }
        let free = UInt64(system.f_bavail).multipliedReportingOverflow(by: UInt64(system.f_frsize))
        if free.overflow || free.partialValue >= Self.leastOctets { return nil }
        return "\(place) has \(free.partialValue >> 20) MiB left: make room, or set TMPDIR to a "
            + "folder with at least \(Self.leastOctets >> 20)"
    }

    // MARK: Database

    private func database() -> String? {
        guard let path = configuration.databasePath else { return nil }
        do throws(StoreError) {
            try MockStore.check(databaseAt: path)
            return nil
        } catch {
            return "database: \(StoreErrorText.line(error, folder: path, option: "--database")): "
                + "name another file, or leave --database out"
        }
    }

    // MARK: Files that are read

    /// What is wrong with the files of `--fixtures`, `--faults` and `--scenario`, in the words of
    /// `serve`: a server is put together with each of them, and nothing of it listens.
    private func inputs() -> [String] {
        guard
            configuration.fixturesPath != nil || configuration.faultsPath != nil
                || configuration.scenario != nil
        else { return [] }
        var plain = Configuration()
        plain.fixturesPath = configuration.fixturesPath
        if plain.fixturesPath != nil, let fault = Self.fault(of: plain) {
            return ["fixtures: \(fault)"]
        }
        var findings: [String] = []
        if configuration.faultsPath != nil {
            var tried = plain
            tried.faultsPath = configuration.faultsPath
            if let fault = Self.fault(of: tried) { findings.append("faults: \(fault)") }
        }
        if configuration.scenario != nil {
            var tried = plain
            tried.scenario = configuration.scenario
            if let fault = Self.fault(of: tried) { findings.append("scenario: \(fault)") }
        }
        return findings
    }

    /// Why a server with this configuration cannot be put together; `nil` where it can.
    private static func fault(of configuration: Configuration) -> String? {
        // With a database, nobody needs the folder that is named for temporary files.
        let named = ServerComposition.temporaryFolder()
        let folder = access(named, W_OK | X_OK) == 0 ? named : "/tmp"
        do throws(Failure) {
            try ServerComposition.application(configuration, temporaryFolder: folder).close()
            return nil
        } catch {
            return error.message
        }
    }

    // MARK: The ready file

    private func readyFile() -> String? {
        guard let path = configuration.readyFile else { return nil }
        if let reason = FileMaking.folderReason(of: path) {
            return "ready file: --ready-file \(path): \(reason): name another"
        }
        let octets: [UInt8]?
        do throws(FileError) {
            octets = try FileSystem.contents(of: path)
        } catch {
            return "ready file: --ready-file \(error): name another"
        }
        guard let octets else { return nil }
        let text = String(decoding: octets.prefix { $0 != 0x0A }, as: UTF8.self)
        guard let url = try? HTTPURL(text), url.scheme == .http, url.path.isEmpty else {
            return "ready file: \(path) holds something else, and would be replaced: name another"
        }
        // Who does not answer within a moment is gone.
        let status = try? SmallHTTPClient.status(
            of: "/__admin/ready",
            at: url,
            timeoutSeconds: 1
        )
        return status == nil
            ? "ready file: \(path) is left from a server that is gone: remove it, or whoever waits "
                + "for it goes on too early"
            : "ready file: \(path) belongs to a server that runs at \(url.text): name another"
    }
}
