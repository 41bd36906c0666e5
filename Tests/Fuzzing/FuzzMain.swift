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
/// What is broken stops the program, and libFuzzer keeps the octets. So does an input that takes more
/// than a second of the processor: libFuzzer's own limit counts the time of a busy machine, too.
@main
enum FuzzMain {
    private static let invariant: @Sendable ([UInt8]) -> String? = {
        let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let invariant = Invariants.all[name] else { fatalError("no target \(name)") }
        return invariant
    }()

    /// How much of the processor one input may take, in seconds.
    private static let limit = 1.0

    /// How much of the processor the thread has had, in seconds.
    private static var processorTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The longest time that an input took, in seconds of the processor.
    nonisolated(unsafe) private static var longest = 0.0

    static func main() {
        atexit {
            var line = "Longest input: \(FuzzMain.longest) s of the processor.\n"
            line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
        }
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        let status = runDriver(&count, &arguments) { octets, count in
            let input = Array(UnsafeBufferPointer(start: octets, count: count))
            let start = FuzzMain.processorTime
            if let broken = FuzzMain.invariant(input) { fatalError(broken) }
            let time = FuzzMain.processorTime - start
            FuzzMain.longest = max(FuzzMain.longest, time)
            if time > FuzzMain.limit { fatalError("The input took \(time) s of the processor.") }
            return 0
        }
        exit(status)
    }
}
