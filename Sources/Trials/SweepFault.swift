import JSON
import Journal

/// What a sweep lets go wrong with one call.
package enum SweepFault: String, CaseIterable, Sendable {
    case rateLimited = "429"
    case unavailable = "503"
    case resetBefore = "reset-before"
    case resetAfter = "reset-after"
    case cut
    case hang
    case edge
    case expiredToken = "expired-token"

    /// Whether the fault can happen to a call, and can make a difference.
    package func fits(_ call: SweepCall) -> Bool {
        switch self {
        // Storage does not know it.
        case .rateLimited: call.kind == .operation || call.kind == .token
        case .unavailable, .resetBefore, .hang, .edge: call.kind != .other
        case .resetAfter: call.isReportingPost
        case .cut: call.hasContent
        case .expiredToken: call.kind == .operation || call.kind == .token
        }
    }

    /// What the fault rule does.
    private func effects(on call: SweepCall) -> JSONValue {
        switch self {
        case .rateLimited: ["status": 429, "retryAfter": 1]
        case .unavailable: ["status": 503]
        case .resetBefore: ["transport": "CONNECTION_RESET_BY_PEER"]
        case .resetAfter: ["phase": "after", "transport": "CONNECTION_RESET_BY_PEER"]
        case .cut: ["truncateAt": JSONNumber(0.5).map { .number($0) } ?? .null]
        case .hang: ["transport": "HANG"]
        case .edge: ["edge": .string(Self.edge(before: call.kind)), "status": 503]
        case .expiredToken: call.kind == .token ? ["token": "expired"] : ["status": 401]
        }
    }

    /// What stands in front of the API, of the token endpoint, or of storage.
    private static func edge(before kind: JournalEntry.Kind) -> String {
        switch kind {
        case .token: "aws-cognito"
        case .upload, .download: "aws-s3"
        case .operation, .other: "aws-api-gateway"
        }
    }

    /// The fault as a part of a trial.
    package func part(_ call: SweepCall) -> Trial.Part {
        .fault(
            name: "\(call.name) \(rawValue)",
            rule: [
                // Or the repetition of one call would be taken for the next.
                "match": ["operation": .string(call.operation), "attempt": "first"],
                "when": ["nth": [.integer(call.ordinal)]], "then": effects(on: call),
            ]
        )
    }
}
