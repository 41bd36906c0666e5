import Glibc
import MockServer
import Store
import Trials

/// `--report`: its form follows from its name.
enum ReportFile {
    enum Form: String, CaseIterable {
        case json = ".json"
        case junit = ".xml"
        case markdown = ".md"
        case page = ".html"
    }

    /// The endings of names, for people.
    static var endings: String {
        let all = Form.allCases.map(\.rawValue)
        return all.dropLast().joined(separator: ", ") + " or " + (all.last ?? "")
    }

    static func form(of path: String) -> Form? {
        Form.allCases.first { path.hasSuffix($0.rawValue) }
    }

    /// Finds out before a long run whether the file can be written.
    static func check(_ path: String, _ option: String) throws(Failure) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw Failure(message: "\(option) \(FileError(path: path, code: EISDIR))")
        }
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw Failure(
                message: "\(option) \(path): exists and is no regular file; it was not touched"
            )
        }
        // Not all that keeps a file from being made shows in permissions: a trial does.
        let trial = "\(path).\(getpid()).tmp"
        let descriptor = open(trial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let error = FileError(path: path, code: errno)
            throw Failure(message: "\(option) \(path): \(FileMaking.reason(error))")
        }
        close(descriptor)
        unlink(trial)
    }

    /// Whether one of some files is to be a page.
    static func holdsPage(_ paths: [String]) -> Bool { paths.contains { form(of: $0) == .page } }

    /// Writes the report of a call, which is no page.
    ///
    /// - Parameter isWhole: Whether trials that pass are told in full, too.
    static func write(
        _ report: TrialReport,
        to path: String,
        isWhole: Bool = true
    ) throws(Failure) {
        let octets =
            switch form(of: path) {
            case .json, .page, nil: report.jsonText(isWhole: isWhole)
            case .junit: Array(report.junit.utf8)
            case .markdown: Array(report.markdown.utf8)
            }
        try write(octets, to: path, "--report")
    }

    static func write(_ octets: [UInt8], to path: String, _ option: String) throws(Failure) {
        do throws(FileError) {
            try FileSystem.replace(path, with: octets)
        } catch {
            throw Failure(message: "\(option) \(path): \(FileMaking.reason(error))")
        }
    }
}
