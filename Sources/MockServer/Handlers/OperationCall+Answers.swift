import Contract
import HTTPMessage
import JSON
import Journal
import OAuth
import QUBS
import Readings
import Store
import Time

// What handlers have in common: reading octets into an answer, lists.

extension OperationCall {
    /// Reads, turning what the store throws into its problem.
    func reading<Result>(
        _ body: (SessionReader) throws(StoreError) -> Result
    ) throws(Problem) -> Result {
        do throws(StoreError) {
            return try body(reader)
        } catch {
            throw Problem(store: error)
        }
    }

    /// The address that a client gets for a presigned URL: it looks as the reading `storage` says.
    func address(of url: PresignedURL) -> String {
        url.address(
            at: call.baseURL,
            secret: call.context.keys.secret,
            isStorages: call.departs(to: StorageManner.s3)
        )
    }

    /// 404 for a resource that is not there.
    func missing(_ resource: RuleError.Resource) -> Problem { Problem(rule: .notFound(resource)) }

    /// A JSON object that the store appends; 404 where it says that there is none.
    func object(
        orMissing resource: RuleError.Resource,
        _ body: (SessionReader, inout [UInt8]) throws(StoreError) -> Bool
    ) throws(Problem) -> Answer {
        var output: [UInt8] = []
        output.reserveCapacity(1024)
        let found = try reading { reader throws(StoreError) in try body(reader, &output) }
        guard found else { throw missing(resource) }
        return .json(output)
    }

    /// A bare array whose elements the store appends.
    func list(
        _ body: (SessionReader, inout [UInt8]) throws(StoreError) -> Int
    ) throws(Problem) -> Answer {
        var output: [UInt8] = [UInt8(ascii: "[")]
        let count = try reading { reader throws(StoreError) in try body(reader, &output) }
        output.append(UInt8(ascii: "]"))
        var answer = Answer.json(output)
        answer.itemCount = count
        return answer
    }

    /// A bare array; 404 where the store says that what it belongs to does not exist.
    func list(
        orMissing resource: RuleError.Resource,
        _ body: (SessionReader, inout [UInt8]) throws(StoreError) -> Int?
    ) throws(Problem) -> Answer {
        var isMissing = false
        let answer = try list { reader, output throws(StoreError) in
            guard let count = try body(reader, &output) else {
                isMissing = true
                return 0
            }
            return count
        }
        if isMissing { throw missing(resource) }
        return answer
    }
}
