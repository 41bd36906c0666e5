import Contract

/// The contract of the control API.
let controlContract = OpenAPIContract.named(by: "FUZZ_CONTROL_CONTRACT")

/// The contract of the API.
let partnerContract = OpenAPIContract.named(by: "FUZZ_CONTRACT")

/// The form of fault rules in the contract of the control API.
let ruleForm: Schema = {
    guard let form = controlContract.namedSchema("FaultRules") else {
        fatalError("the contract of the control API describes no fault rules")
    }
    return form
}()
