import Testing
import Trials

@Suite("The list of known failures")
struct BaselineTests {
    @Test("Lines name a scenario and a check; comments and blank lines are nothing")
    func lines() throws {
        let text = """
            # all of them
            calm retry.pauses   # since May

            - upload.size
            calm upload.size\r
            """
        let baseline = try Baseline(text, scenarios: ["calm"])
        #expect(baseline.checks(of: .scenario("calm")) == ["retry.pauses", "upload.size"])
        #expect(baseline.checks(of: .plain) == ["upload.size"])
        #expect(baseline.checks(of: .scenario("other")).isEmpty)
    }

    @Test(
        "What names nothing is refused with its line",
        arguments: [
            ("\ncalm retry.pause", 2, "retry.pauses"), ("cal retry.pauses", 1, "calm"),
            ("calm", 1, "space"), ("calm retry.pauses now", 1, "space"),
        ]
    )
    func refusals(text: String, line: Int, word: String) {
        do throws(Baseline.Fault) {
            _ = try Baseline(text, scenarios: ["calm"])
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.line == line)
            #expect(error.reason.contains(word), "\(error.reason)")
        }
    }
}
