import ArgumentParser
import Fixtures
import Store

/// `qubs-mock fixtures`.
struct FixturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fixtures",
        abstract: "Work with fixture folders.",
        subcommands: [FixturesCheckCommand.self]
    )
}

/// `qubs-mock fixtures check`: every fault of a folder, with file and JSON pointer.
struct FixturesCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate a fixture folder; exit 1 where it is not valid."
    )

    @Argument(help: "The folder.")
    var directory: String

    func run() throws {
        let contract = try ServerComposition.contract()
        var faults: [FixtureFault]
        let count: Int
        do throws(StoreError) {
            let folder = try ValidatedFixtures(path: directory, contract: contract)
            faults = folder.faults
            // References are looked at last: a record that is wrong itself is missing there.
            if faults.isEmpty {
                faults = try FixtureLoader(
                    shapes: ViewShapes(contract: contract),
                    scatter: Scatter(seed: 1, contract: contract)
                ).faults(of: folder.set)
            }
            count = folder.set.domains.reduce(0) { sum, domain in
                domain.records.values.reduce(sum) { $0 + $1.count }
            }
        } catch {
            throw Failure(message: StoreErrorText.line(error, folder: directory))
        }
        if faults.isEmpty {
            Output.line("\(directory): \(count) records, all valid")
            return
        }
        for fault in faults { Output.error(FixtureFaultText.line(fault, directory)) }
        throw Failure(message: "\(directory): \(faults.count) faults")
    }
}
