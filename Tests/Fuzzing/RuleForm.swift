import Contract

/// The form of fault rules in the contract of the control API.
let ruleForm: Schema = {
    let contract = OpenAPIContract.named(by: "FUZZ_CONTROL_CONTRACT")
    guard let form = contract.namedSchema("FaultRules") else {
        fatalError("the contract of the control API describes no fault rules")
    }
    return form
}()
