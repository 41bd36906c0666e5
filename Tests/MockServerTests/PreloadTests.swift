import Foundation
import Testing
import TestSupport

/// A C compiler; the toolchain brings one.
private let compiler: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return ["clang", "cc"].lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
        .first { FileManager.default.isExecutableFile(atPath: $0) }
}()

/// The program under a preloaded library, as libfaketime is.
@Suite("A preloaded library", .enabled(if: compiler != nil))
struct PreloadTests {
    /// Sets a variable before `main`, and answers the time that another one holds.
    private static let source = """
        #define _GNU_SOURCE
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <time.h>
        #include <unistd.h>

        __attribute__((constructor)) static void begin(void) { setenv("PRELOADED", "1", 1); }

        int clock_gettime(clockid_t clock, struct timespec *time) {
            const char *seconds = getenv("PRELOADED_SECONDS");
            if (clock != CLOCK_REALTIME || !seconds) return syscall(SYS_clock_gettime, clock, time);
            time->tv_sec = atoll(seconds);
            time->tv_nsec = 0;
            return 0;
        }
        """

    private func library(in folder: TemporaryFolder) throws -> String {
        let source = folder.path("preload.c")
        try Self.source.write(toFile: source, atomically: true, encoding: .utf8)
        let library = folder.path("preload.so")
        let build = try ChildProcess(
            try #require(compiler),
            ["-shared", "-fPIC", "-o", library, source]
        )
        try #require(try build.exitStatus() == 0, "\(build.errorOutput)")
        return library
    }

    @Test("The arguments of the program are found, though Swift has lost them")
    func arguments() throws {
        let folder = try TemporaryFolder()
        let environment = ["LD_PRELOAD": try library(in: folder)]
        let program = try ChildProcess.mock(["--version"], environment: environment)
        #expect(try program.exitStatus() == 0)
        #expect(program.output.split(separator: "\n").count == 1)
        let file = folder.path("ready")
        let server = try ChildProcess.mock(
            ["--port", "0", "--ready-file", file, "--log", "off"],
            environment: environment
        )
        let url = try server.awaitReady(file)
        #expect(!url.hasSuffix(":8080"))
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
        let guarded = try ChildProcess.mock(["run", "--", "true"], environment: environment)
        #expect(try guarded.exitStatus() == 2, "\(guarded.errorOutput)")
    }

    @Test(
        "A system's clock outside of 1970 to 2200 is one line and exit status 1",
        arguments: [
            "-1", "-3000000000", "-99999999999999", "7258118401", "9300000000", "99999999999999",
            "-9223372036854775808", "9223372036854775807",
        ]
    )
    func systemClock(seconds: String) throws {
        let folder = try TemporaryFolder()
        let environment = [
            "LD_PRELOAD": try library(in: folder), "PRELOADED_SECONDS": seconds,
        ]
        let server = try ChildProcess.mock(["--port", "0"], environment: environment)
        #expect(try server.exitStatus() == 1, "\(server.errorOutput)")
        #expect(server.errorLines.count == 1)
        #expect(server.errorOutput.contains("1970 to 2200"), "\(server.errorOutput)")
        // No server is needed for a token, and no clock is too far for one.
        let token = try ChildProcess.mock(
            ["token", "--client-id", "acme-partner"],
            environment: environment
        )
        #expect(try token.exitStatus() == 0, "\(token.errorOutput)")
    }

    @Test("At the ends of 1970 to 2200 a server serves", arguments: ["0", "7258118399"])
    func ends(seconds: String) throws {
        let folder = try TemporaryFolder()
        let file = folder.path("ready")
        let server = try ChildProcess.mock(
            ["--port", "0", "--ready-file", file, "--log", "text"],
            environment: ["LD_PRELOAD": try library(in: folder), "PRELOADED_SECONDS": seconds]
        )
        let url = try server.awaitReady(file)
        let token = try server.token(at: url)
        #expect(try server.get("/integrations/v1/acme/sites", at: url, token: token).status == 200)
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
    }
}
