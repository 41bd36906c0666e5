import Glibc

/// libFuzzer's own main function: reads the options of the command line, and runs.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Tries one of a room's invariants, the one that FUZZ_TARGET names.
///
/// What is broken stops the program, and libFuzzer keeps the octets.
@main
enum FuzzMain {
    private static let invariant: @Sendable ([UInt8]) -> String? = {
        let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let invariant = Invariants.all[name] else { fatalError("no target \(name)") }
        return invariant
    }()

    static func main() {
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        let status = runDriver(&count, &arguments) { octets, count in
            let input = Array(UnsafeBufferPointer(start: octets, count: count))
            if let broken = FuzzMain.invariant(input) { fatalError(broken) }
            return 0
        }
        exit(status)
    }
}
