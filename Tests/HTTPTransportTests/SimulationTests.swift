import Testing
import simulate

@Suite("Simulation")
struct SimulationTests {
    /// `scripts/simulate` runs more, optimised: some five hundred a second.
    @Test("Each seed keeps every promise of the transport", arguments: 0..<8)
    func seeds(part: UInt64) {
        var total = Simulation.Tally()
        for seed in part * 150 + 1...part * 150 + 150 {
            do throws(Simulation.Failure) {
                let tally = try Simulation.run(seed: seed)
                total.connections += tally.connections
                total.answers += tally.answers
            } catch {
                Issue.record("\(error)")
            }
        }
        // It does something.
        #expect(total.connections > 300 && total.answers > 300)
    }

    @Test("A seed does the same again")
    func repeatable() throws {
        var runs: [[String]] = []
        for _ in 0..<2 {
            var steps: [String] = []
            _ = try Simulation.run(seed: 4711) { steps.append($0) }
            runs.append(steps)
        }
        #expect(runs[0] == runs[1])
        #expect(runs[0].count > 50)
    }
}
