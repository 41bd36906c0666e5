import Contract

enum Invariants {
    static let all: [String: @Sendable ([UInt8]) -> String?] = [
        "contract": { ContractInvariants.check($0, contract) }
    ]

    private static let contract = OpenAPIContract.named(by: "FUZZ_CONTRACT")
}
