import ArgumentParser
import Glibc
import JSON
import Journal
import MockServer
import Trials
import Verdict

/// Where the report of a call goes.
enum TrialOutput {
    /// Prints a report, and writes it to files and to GitHub.
    ///
    /// - Parameters:
    ///   - server: Where the command should have sent its requests.
    ///   - isWhole: Whether trials that pass are told in full in files, too.
    static func show(
        _ report: TrialReport,
        _ options: TrialOptions,
        _ call: TrialCall,
        of server: TrialServer,
        isWhole: Bool = true
    ) throws(Failure) {
        if report.isSingle {
            let colour = Output.isColourful(2)
            Output.errorText(report.singleText(colour: colour, server: server.baseURL))
        } else {
            Output.errorText(report.text)
        }
        for path in options.report {
            if ReportFile.form(of: path) == .page {
                let octets = PageReport.octets(
                    server.application.pageFiles,
                    headline: report.headline,
                    pageParts(report, call)
                )
                try ReportFile.write(octets, to: path, "--report")
            } else {
                try ReportFile.write(report, to: path, isWhole: isWhole)
            }
        }
        if let journal = options.journal {
            try ReportFile.write(
                Application.journalJSON(of: call.requests, dropped: call.dropped),
                to: journal,
                "--journal"
            )
        }
        tellGitHub(report)
    }

    /// The trials of a report as a page shows them.
    private static func pageParts(_ report: TrialReport, _ call: TrialCall) -> [PageReport.Part] {
        let requests = Dictionary(grouping: call.requests, by: \.session)
        return report.all.enumerated().map { place, one in
            let (trial, assessment) = one
            let title =
                switch trial.subject {
                case .plain: "no scenario"
                case .scenario(let name): "scenario \(name)"
                case .parts: trial.name
                }
            return PageReport.Part(
                session: trial.session,
                title: title,
                outcome: assessment.outcome,
                conclusion: report.conclusion(of: place),
                notes: [trial.end.line].compactMap { $0 } + trial.differences
                    + [trial.repetition].compactMap { $0 },
                seconds: trial.end.seconds,
                entries: requests[trial.session] ?? [],
                verdict: trial.verdict,
                explanations: call.explanations[trial.session] ?? [:]
            )
        }
    }

    /// Makes the trials of a command, and ends with the exit status that follows.
    ///
    /// A failure that is no misuse is no verdict either: it has the exit status of one that is missing.
    static func end(with makeTrials: () throws(Failure) -> Int32) throws {
        let status: Int32
        do throws(Failure) {
            status = try makeTrials()
        } catch {
            let isMisuse = error.status == Failure.misuse
            throw Failure(
                message: error.message,
                status: isMisuse ? error.status : Judgement.failureStatus
            )
        }
        if status != 0 { throw ExitCode(status) }
    }

    /// Annotations in the log, and a summary of the job, where GitHub runs this.
    private static func tellGitHub(_ report: TrialReport) {
        let environment = Program.environment()
        guard environment["GITHUB_ACTIONS"] == "true" else { return }
        for line in report.annotations { Output.error(line) }
        guard let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return }
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            Output.error("qubs-mock: GITHUB_STEP_SUMMARY \(path) cannot be written")
            return
        }
        defer { close(descriptor) }
        var rest = Array(report.markdown.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
        }
    }
}
