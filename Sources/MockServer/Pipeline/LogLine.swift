import HTTPMessage
import JSON

/// One line of the log: never a body, a query value, a token or a name.
struct LogLine {
    /// When the answer was made, by the system's clock: RFC 3339.
    let time: String
    let method: String
    let path: [UInt8]
    /// As answered, or as it would have been; `nil` where a fault took the operation's place and
    /// nothing was to be answered.
    let status: Int?
    /// The rule that acted.
    let fault: String?
    let requestID: String
    /// `traceparent`, where it was sent.
    var traceParent: String?
    /// Why there is no method and no path: what came is no request.
    var defect: String?
    let arrival: UInt64

    /// Appends the line with the duration until `ended`, in monotonic nanoseconds.
    func append(to output: inout [UInt8], format: Configuration.LogFormat, ended: UInt64) {
        let microseconds = ended > arrival ? (ended - arrival) / 1000 : 0
        switch format {
        case .off: break
        case .text:
            output.append(contentsOf: time.utf8)
            output.append(UInt8(ascii: " "))
            output.append(contentsOf: method.isEmpty ? "-".utf8 : method.utf8)
            output.append(UInt8(ascii: " "))
            if path.isEmpty { output.append(UInt8(ascii: "-")) }
            output.append(contentsOf: path)
            output.append(UInt8(ascii: " "))
            if let status {
                JSONWriter.append(status, to: &output)
            } else {
                output.append(UInt8(ascii: "-"))
            }
            output.append(UInt8(ascii: " "))
            Self.append(milliseconds: microseconds, to: &output)
            output.append(contentsOf: "ms ".utf8)
            output.append(contentsOf: requestID.utf8)
            if let fault {
                output.append(contentsOf: " fault=".utf8)
                output.append(contentsOf: fault.utf8)
            }
            if let traceParent {
                output.append(contentsOf: " traceparent=".utf8)
                output.append(contentsOf: traceParent.utf8)
            }
            if let defect {
                output.append(UInt8(ascii: " "))
                output.append(contentsOf: defect.utf8)
            }
            output.append(UInt8(ascii: "\n"))
        case .json:
            output.append(contentsOf: "{\"time\":\"".utf8)
            output.append(contentsOf: time.utf8)
            output.append(contentsOf: "\",\"method\":".utf8)
            JSONWriter.append(string: method, to: &output)
            output.append(contentsOf: ",\"path\":".utf8)
            path.withUnsafeBufferPointer { JSONWriter.append(stringOctets: $0, to: &output) }
            output.append(contentsOf: ",\"status\":".utf8)
            if let status {
                JSONWriter.append(status, to: &output)
            } else {
                output.append(contentsOf: "null".utf8)
            }
            output.append(contentsOf: ",\"milliseconds\":".utf8)
            Self.append(milliseconds: microseconds, to: &output)
            output.append(contentsOf: ",\"requestId\":".utf8)
            JSONWriter.append(string: requestID, to: &output)
            if let fault {
                output.append(contentsOf: ",\"fault\":".utf8)
                JSONWriter.append(string: fault, to: &output)
            }
            if let traceParent {
                output.append(contentsOf: ",\"traceparent\":".utf8)
                JSONWriter.append(string: traceParent, to: &output)
            }
            if let defect {
                output.append(contentsOf: ",\"defect\":".utf8)
                JSONWriter.append(string: defect, to: &output)
            }
            output.append(contentsOf: "}\n".utf8)
        }
    }

    /// Milliseconds with three decimals.
    private static func append(milliseconds microseconds: UInt64, to output: inout [UInt8]) {
        JSONWriter.append(Int(microseconds / 1000), to: &output)
        output.append(UInt8(ascii: "."))
        let rest = UInt8((microseconds % 1000) / 100)
        let middle = UInt8((microseconds % 100) / 10)
        let last = UInt8(microseconds % 10)
        for digit in [rest, middle, last] { output.append(UInt8(ascii: "0") + digit) }
    }
}
