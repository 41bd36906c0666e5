import Contract
import Embedded

/// The contract of the control API, as the program has it.
let controlContract = loaded(EmbeddedDefaults.controlContractJSON())

/// The contract of the API, as the program has it.
let partnerContract = loaded(EmbeddedDefaults.contractJSON())

/// The form of fault rules in the contract of the control API.
let ruleForm: Schema = {
    guard let form = controlContract.namedSchema("FaultRules") else {
        preconditionFailure("the contract of the control API describes no fault rules")
    }
    return form
}()

private func loaded(_ text: StaticString) -> OpenAPIContract {
    do {
        return try OpenAPIContract(octets: EmbeddedDefaults.octets(of: text))
    } catch {
        preconditionFailure("\(error)")
    }
}
