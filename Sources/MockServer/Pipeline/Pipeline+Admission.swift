import Contract
import HTTPMessage
import HTTPTransport
import Journal
import QUBS

// Before the content of a request was read: what is refused whatever the content.

extension Pipeline {
    /// What the head says of the content.
    enum ContentClaim {
        /// Little enough to be read whoever sends it.
        case small
        /// To be read only where nothing else is wrong with the request.
        case large
        case refused(Problem)
    }

    /// What the head says of the content.
    ///
    /// - Parameter maximum: Octets that the request may have, see `maximumContentOctets`.
    func claim(of head: RequestHead, maximum: Int) -> ContentClaim {
        switch head.framing {
        case .length(let length) where length > maximum:
            .refused(Problem(contentTooLarge: maximum))
        case .chunked where PresignedURL.isUpload(head.target.path):
            .refused(Problem.lengthRequired)
        case .length(let length)
        where length <= ContentLimits.maximumUnaskedOctets && !head.expectsContinue:
            .small
        default: .large
        }
    }

    /// Whether content that is not small is read; else the refusal.
    ///
    /// - Parameters:
    ///   - newCall: Makes a call of the head and some content.
    ///   - early: What is wrong with the content by its size or framing.
    func admission(
        _ early: Problem?,
        maximum: Int,
        _ newCall: (_ content: [UInt8]) -> Call
    ) -> Admission {
        let call = newCall([])
        // Looked at with a call of its own: what is found out is noted when it is answered. One octet
        // stands for the content, since no content needs no media type.
        let problem =
            early
            ?? (PresignedURL.isUpload(call.request.target.path)
                ? refusal(ofUpload: call)
                : refusal(unread: newCall([UInt8(ascii: " ")]), call))
        guard let problem else { return .content(maximumOctets: maximum) }
        call.early = problem
        guard let reply = answer(call, exchange: nil) else {
            preconditionFailure("only an exchange can be answered later")
        }
        return .refuse(reply)
    }

    /// How much content a request may have.
    func maximumContentOctets(of head: RequestHead) -> Int {
        let path = head.target.path
        if PresignedURL.isUpload(path) { return ContentLimits.maximumUploadOctets }
        if ControlAPI.serves(path) { return ContentLimits.maximumControlOctets }
        // Within every limit: no need to know which it is.
        if case .length(let length) = head.framing, length <= ContentLimits.maximumFormOctets {
            return ContentLimits.maximumFormOctets
        }
        if case .matched(let operation, _) = contract.route(method: head.method, path: path),
            operation.id == OperationID.token
        {
            return ContentLimits.maximumFormOctets
        }
        return ContentLimits.maximumJSONOctets
    }

    /// What a request is refused for whatever its content: its path and method, its token, its media
    /// type or a content coding.
    ///
    /// - Parameters:
    ///   - probe: A call that is used for nothing else.
    ///   - call: The call that will be answered.
    private func refusal(unread probe: Call, _ call: Call) -> Problem? {
        do throws(Problem) {
            try hosts.check(probe.request)
            try callers.identify(probe)
            if probe.request.target.form == .asterisk { return nil }
            if try ServiceDocuments.answer(to: probe) != nil { return nil }
            let (operation, match) = try route(probe)
            // Its errors have a form of their own, and its content is small.
            if operation.id == OperationID.token { return nil }
            recorder.noteRoute(of: probe, operation: operation, match: match)
            try Authorization.check(probe, operation: operation)
            try ContentCoding.refuseCoding(of: probe.request, for: operation)
            let valid = contract.validate(probe.request, operation: operation, match: match)
            guard valid.refusalStatus == 415 else { return nil }
            recorder.noteParameters(of: call, valid: valid)
            return Problem(refusing: valid)
        } catch {
            return error
        }
    }

    /// What an upload is refused for whatever its content: its URL or its fields.
    private func refusal(ofUpload call: Call) -> Problem? {
        do throws(Problem) {
            let (operation, match) = try route(call)
            try callers.enterClaimedSession(call, operation: operation)
            try ContentCoding.refuseCoding(of: call.request, for: operation)
            let valid = contract.validate(call.request, operation: operation, match: match)
            recorder.noteParameters(of: call, valid: valid)
            if let refusal = Problem(refusing: valid) { return refusal }
            _ = try TransferHandlers.checkUpload(
                OperationCall(call: call, operation: operation, valid: valid)
            )
            return nil
        } catch {
            return error
        }
    }

    /// The reply to a message that is none.
    ///
    /// - Parameter head: What was read of it.
    func refusal(of error: MessageError, _ call: Call, hasHead: Bool) -> Reply {
        // Who it was belongs into the journal; whatever is wrong with that, the message is worse.
        if hasHead { try? callers.identify(call) }
        call.entry.details.violations = [
            JournalViolation(
                location: "message",
                name: "",
                keyword: "http",
                message: error.explanation,
                contractPointer: ""
            )
        ]
        return finishing.reply(to: call, problem: Problem(refusing: error))
    }
}
