import Contract
import HTTPMessage
import Journal
import OAuth
import QUBS
import Readings
import Store
import Time

/// Presigned transfers (facts 2.30): contents in and out, without a token.
enum TransferHandlers {
    static let entries: [OperationEntry] = [
        (OperationID.upload, upload),
        (OperationID.download, download),
    ]

    // MARK: - Upload

    private static func upload(_ call: OperationCall) throws(Problem) -> Answer {
        let contentType = try checkUpload(call)
        let content = call.call.request.content
        let digest = SHA256Digest.hexadecimal(of: content)
        call.call.entry.details.uploadFlaw = flaw(of: content, called: contentType)
        do throws(StoreError) {
            try call.call.session.store.write(
                by: { call.call.changeOrigin() }
            ) { writer throws(StoreError) in
                try writer.putContent(
                    guid: call.string("guid"),
                    octets: content,
                    contentType: contentType,
                    digest: digest,
                    now: call.now
                )
            }
        } catch {
            throw Problem(store: error)
        }
        call.call.entry.committed = true
        var answer = Answer(status: 200)
        markVersion(of: &answer, digest, call)
        return answer
    }

    /// Why a file cannot be what it is called; `nil` where nothing speaks against it.
    private static func flaw(of file: [UInt8], called type: String?) -> JournalDetails.UploadFlaw? {
        if file.isEmpty { return .empty }
        switch type.flatMap({ MediaType(Array($0.utf8)[...])?.essence }) {
        case "application/pdf":
            // Readers look for the mark in the first 1,024 octets (ISO 32000-2, annex I).
            let head = file.prefix(1_024)
            let isPDF = head.indices.contains { head[$0...].starts(with: "%PDF".utf8) }
            return isPDF ? nil : .unlike
        case "application/dicom":
            // PS3.10 §7.1: a preamble of 128 octets, then the prefix.
            return file.dropFirst(128).starts(with: "DICM".utf8) ? nil : .unlike
        default: return nil
        }
    }

    /// Refuses an upload for its URL or its fields, whatever its content.
    ///
    /// - Returns: The media type of the content.
    static func checkUpload(_ call: OperationCall) throws(Problem) -> String? {
        let guid = call.string("guid")
        let url = try verified(call, purpose: .upload)
        let state = try call.reading { reader throws(StoreError) in try reader.upload(guid: guid) }
        // The key is published, so anybody can sign any expiry: only the one given out counts.
        guard let state, state.expiresAt == url.expires else { throw unknownURL }
        if state.isComplete { throw Problem(rule: .alreadyUploaded) }
        try checkExpiry(of: url, call)
        let request = call.call.request
        guard request.fields.first("content-length") != nil else {
            throw Problem.lengthRequired
        }
        // RFC 9110 §14.5: whoever takes a part for the whole would store a damaged file.
        if request.fields.first("content-range") != nil {
            throw call.call.refusal(
                field: "Content-Range",
                keyword: "content-range",
                "Leave it out: an upload is the whole content.",
                detail: "Send the whole content, without Content-Range: a part cannot be stored."
            )
        }
        guard request.fields.count(of: "content-type") <= 1 else {
            throw Problem(
                .uploadContentType,
                400,
                "Send one Content-Type: with two, the content could be either."
            )
        }
        let contentType = request.fields.text("content-type")
        if let promised = state.promisedContentType,
            !isSigned(contentType, as: promised, call)
        {
            throw Problem(
                .uploadContentType,
                403,
                "Send Content-Type: \(promised), as it was announced for this upload."
            )
        }
        return contentType
    }

    /// Whether a type is the promised one; to the octet, where a reading wants it.
    private static func isSigned(
        _ sent: String?,
        as promised: String,
        _ call: OperationCall
    ) -> Bool {
        guard isSame(sent.map { Array($0.utf8)[...] }, as: promised) else { return false }
        return sent == promised || !call.call.departs(to: StorageManner.s3)
    }

    /// Whether a type is the promised one, parameters included (facts 2.30).
    ///
    /// Letter case and white space are forgiven where RFC 9110 §8.3.1 makes nothing of them.
    private static func isSame(_ sent: ArraySlice<UInt8>?, as promised: String) -> Bool {
        guard let sent = sent.flatMap({ MediaType($0) }) else { return false }
        return sent == MediaType(Array(promised.utf8)[...])
    }

    // MARK: - Download

    private static func download(_ call: OperationCall) throws(Problem) -> Answer {
        let guid = call.string("guid")
        let disposition = call.string("disposition")
        let url = try verified(call, purpose: .download(disposition: disposition))
        try checkExpiry(of: url, call)
        let left = url.expires.secondsSince1970.subtractingSaturated(call.now.secondsSince1970)
        let longest = call.context.longestDownloadSeconds.addingSaturated(
            SessionClock.stepSeconds
        )
        guard left <= longest else {
            throw Problem(
                .urlSignature,
                403,
                "This URL expires later than one that is given out now by the mock's clock: ask "
                    + "the API for a new one."
            )
        }
        let content = try call.reading { reader throws(StoreError) in
            try reader.content(guid: guid)
        }
        guard let content else { throw unknownURL }
        var answer = Answer(
            status: 200,
            contentType: content.contentType ?? "application/octet-stream",
            content: content.octets
        )
        answer.fields = [
            HTTPResponse.Field(
                "Content-Disposition",
                ContentDisposition.text(disposition, fileName: content.fileName)
            ),
            HTTPResponse.Field("Accept-Ranges", "bytes"),
            // A client chose content and type: no browser may take it for a page of this server.
            HTTPResponse.Field("X-Content-Type-Options", "nosniff"),
            HTTPResponse.Field("Content-Security-Policy", "sandbox"),
        ]
        markVersion(of: &answer, nil, call)
        try ByteRange.apply(call.call.request, to: &answer)
        return answer
    }

    // MARK: - Both

    /// Adds the `ETag` of a content, where a reading wants it.
    ///
    /// - Parameter digest: Where it is known already.
    private static func markVersion(
        of answer: inout Answer,
        _ digest: String?,
        _ call: OperationCall
    ) {
        guard call.call.departs(to: StorageManner.s3) else { return }
        let digest = digest ?? SHA256Digest.hexadecimal(of: answer.content)
        answer.fields.append(HTTPResponse.Field("ETag", "\"\(digest.prefix(32))\""))
    }

    /// 400 for credentials beside those of the URL, where a reading takes one alone.
    private static func refuseCredentials(_ call: OperationCall) throws(Problem) {
        guard call.call.request.fields.first("authorization") != nil,
            call.call.departs(to: StorageManner.s3)
        else { return }
        throw Problem(
            .storageCredentials,
            400,
            "Leave out Authorization: the URL is signed, and needs no credentials beside it."
        )
    }

    /// The URL of a request, whose signature is right.
    private static func verified(
        _ call: OperationCall,
        purpose: PresignedURL.Purpose
    ) throws(Problem) -> PresignedURL {
        try refuseCredentials(call)
        let guid = call.string("guid")
        guard let expires = Int64(call.string("expires")), expires >= 0,
            Instant.writableSeconds.contains(expires)
        else { throw unknownURL }
        let url = PresignedURL(
            guid: guid,
            expires: Instant(secondsSince1970: expires),
            session: call.string("session"),
            purpose: purpose
        )
        let secret = call.context.keys.secret
        let isSigned =
            call.valid.string("credential") == nil
            ? url.isSigned(with: call.string("signature"), secret: secret)
            : StorageURL.isSigned(call.call.request, at: call.call.baseURL, secret: secret)
        guard isSigned, call.call.session.name == url.session
        else { throw unknownURL }
        call.call.entry.details.presigned = JournalDetails.PresignedURL(
            guid: guid,
            expiresAt: expires
        )
        return url
    }

    private static func checkExpiry(of url: PresignedURL, _ call: OperationCall) throws(Problem) {
        guard call.now >= url.expires else { return }
        throw Problem(
            .urlExpired,
            403,
            "This URL expired at \(url.expires.rfc3339): ask the API for a new one."
        )
    }

    private static let unknownURL = Problem(
        .urlSignature,
        403,
        "This is no URL that the API gave out: use it unchanged, as it was answered."
    )
}

/// `Content-Disposition` (RFC 6266).
enum ContentDisposition {
    /// The field value with a file name, of which only the last segment is sent.
    static func text(_ disposition: String, fileName: String) -> String {
        let segments = fileName.split(whereSeparator: { $0 == "/" || $0 == "\\" })
        // What names a folder is no name for a file.
        let name = segments.last { $0 != "." && $0 != ".." } ?? "download"
        let ascii = String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { scalar in
                    switch scalar {
                    case "\"", "\\": "_"
                    case "\u{20}"..."\u{7E}": scalar
                    default: "_"
                    }
                }
            )
        )
        var text = "\(disposition); filename=\"\(ascii)\""
        if ascii != name { text += "; filename*=UTF-8''\(PercentCoding.encode(String(name)))" }
        return text
    }
}
