import Contract
import Embedded

/// The form of fault rules in the contract of the control API, as the program has it.
let ruleForm: Schema = {
    let octets = EmbeddedDefaults.octets(of: EmbeddedDefaults.controlContractJSON())
    guard let contract = try? OpenAPIContract(octets: octets),
        let form = contract.namedSchema("FaultRules")
    else { preconditionFailure("the contract of the control API describes no fault rules") }
    return form
}()
