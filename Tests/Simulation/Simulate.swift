import Glibc
import Time

/// `scripts/simulate [SECONDS] [SEED]`: seeds one after the other for a time, or one with every step.
@main
enum Simulate {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        let seconds = arguments.first.flatMap { UInt64($0) } ?? 60
        let first = arguments.dropFirst().first.flatMap { UInt64($0) } ?? 1
        guard seconds > 0 else {
            exit(replay(first))
        }
        let end = MonotonicTime.now() + min(seconds, 1_000_000) * 1_000_000_000
        var total = Simulation.Tally()
        var seed = first
        var failures = 0
        while MonotonicTime.now() < end, failures < 10 {
            do throws(Simulation.Failure) {
                let tally = try Simulation.run(seed: seed)
                total.steps += tally.steps
                total.connections += tally.connections
                total.answers += tally.answers
            } catch {
                failures += 1
                print(error)
            }
            seed += 1
        }
        print(
            "seeds \(first) to \(seed - 1): \(total.steps) steps, \(total.connections) connections, "
                + "\(total.answers) answers, \(failures) failures"
        )
        exit(failures == 0 ? 0 : 1)
    }

    /// Runs one seed, and prints each of its steps.
    private static func replay(_ seed: UInt64) -> Int32 {
        do throws(Simulation.Failure) {
            let tally = try Simulation.run(seed: seed) { step in
                print(step)
                // What comes last matters most, should the run never end.
                fflush(nil)
            }
            print("seed \(seed): \(tally.steps) steps without a failure")
            return 0
        } catch {
            print(error)
            return 1
        }
    }
}
