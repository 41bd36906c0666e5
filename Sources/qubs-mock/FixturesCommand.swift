import ArgumentParser
import ContractData
import JSON
import OAuth
import Store

/// `qubs-mock fixtures`.
struct FixturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fixtures",
        abstract: "Work with fixture folders.",
        subcommands: [FixturesCheckCommand.self, FixturesGenerateCommand.self]
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
                    scatter: Scatter(seed: 1, contract: contract),
                    zones: ServerComposition.zones
                ).faults(of: folder.set)
            }
            faults += IdentityFaults.all(in: folder)
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
        let tally = faults.count == 1 ? "1 fault" : "\(faults.count) faults"
        throw Failure(message: "\(directory): \(tally)")
    }
}

/// What is wrong with clients.json and signing-key.json beyond their form.
enum IdentityFaults {
    static func all(in folder: ValidatedFixtures) -> [FixtureFault] {
        var faults = ofForm(in: folder)
        // Clients that cannot be read are among the faults above.
        if let document = folder.clients, let registry = try? ClientRegistry(document) {
            faults += unknownNames(in: registry, folder)
        }
        return faults
    }

    /// Those with which there is no server, and no token.
    static func ofForm(in folder: ValidatedFixtures) -> [FixtureFault] {
        var faults: [FixtureFault] = []
        if let document = folder.clients {
            do throws(ClientRegistryError) {
                _ = try ClientRegistry(document)
            } catch {
                faults += error.faults.map {
                    FixtureFault(file: clientsFile, pointer: $0.pointer, reason: $0.explanation)
                }
            }
        }
        if let document = folder.signingKey {
            do throws(SigningKeyError) {
                _ = try SigningKeys(developmentKey: document)
            } catch {
                faults.append(
                    FixtureFault(
                        file: "signing-key.json",
                        pointer: error.pointer,
                        reason: error.explanation
                    )
                )
            }
        }
        return faults
    }

    private static let clientsFile = "clients.json"

    /// Domains and sites that clients are granted and the folder does not have.
    private static func unknownNames(
        in registry: ClientRegistry,
        _ folder: ValidatedFixtures
    ) -> [FixtureFault] {
        let domains = Set(folder.set.domains.map(\.name))
        let sites = Set(
            folder.set.domains.flatMap { $0.records[.sites] ?? [] }
                .compactMap { $0["siteName"]?.string }
        )
        var faults: [FixtureFault] = []
        for (index, client) in registry.clients.enumerated() {
            func check(_ names: [String], _ member: String, among known: Set<String>) {
                for (position, name) in names.enumerated() where !known.contains(name) {
                    faults.append(
                        FixtureFault(
                            file: clientsFile,
                            pointer: JSONPointer([String(index), member, String(position)]),
                            reason: "nothing in this folder has this name"
                        )
                    )
                }
            }
            check(client.domains, "domains", among: domains)
            check(client.sites ?? [], "sites", among: sites)
        }
        return faults
    }
}
