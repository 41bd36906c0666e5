import Contract
import Glibc

extension OpenAPIContract {
    /// A contract of the program, from the file that an environment variable names.
    static func named(by variable: String) -> OpenAPIContract {
        var octets: [UInt8] = []
        let path = getenv(variable).map { String(cString: $0) } ?? ""
        guard let file = fopen(path, "r") else { fatalError("\(variable) names no file") }
        defer { fclose(file) }
        while case let octet = fgetc(file), octet != EOF { octets.append(UInt8(octet)) }
        do {
            return try OpenAPIContract(octets: octets)
        } catch {
            fatalError("\(error)")
        }
    }
}
