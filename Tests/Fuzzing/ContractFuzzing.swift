import Contract
import Glibc

/// The contract of the program, from the file that FUZZ_CONTRACT names.
enum Invariants {
    static let all: [String: @Sendable ([UInt8]) -> String?] = [
        "contract": { ContractInvariants.check($0, contract) }
    ]

    private static let contract: OpenAPIContract = {
        var octets: [UInt8] = []
        let path = getenv("FUZZ_CONTRACT").map { String(cString: $0) } ?? ""
        guard let file = fopen(path, "r") else { fatalError("FUZZ_CONTRACT names no file") }
        defer { fclose(file) }
        while case let octet = fgetc(file), octet != EOF { octets.append(UInt8(octet)) }
        do {
            return try OpenAPIContract(octets: octets)
        } catch {
            fatalError("\(error)")
        }
    }()
}
