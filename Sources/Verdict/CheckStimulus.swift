extension Check {
    /// What exercises the checks of a family, such as `retry`: the end of a sentence.
    static func stimulus(ofFamily family: some StringProtocol) -> String? {
        switch family {
        case "retry": "a temporary failure, as in --scenario flaky-network"
        case "idempotency": "a POST; for most a lost answer, as in --scenario lost-answers"
        case "paging": "a list that is read, with further pages"
        case "auth": "a token; for some one that expires, as in --scenario token-expiry"
        case "upload": "an upload; for some one that fails, as in --scenario upload-trouble"
        case "errors": "a failure that is not the API's own, as in --scenario foreign-errors"
        case "reporting": "a report; for each-exam-once --scenario busy-day"
        case "transport": "20 requests to one host; a silence, as in --scenario slow-friday"
        case "contract", "privacy", "trace": "an API call"
        default: nil
        }
    }
}
