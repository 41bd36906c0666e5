/// The operations that are told apart by more than their handlers.
package enum OperationID {
    package static let token = "token"
    package static let upload = "upload"
    package static let download = "download"
}
