import Glibc
import Journal
import Testing
import Verdict

/// What a verdict costs grows with the journal, not with its square, whatever the client did.
///
/// Measured in the processor time of the thread, a journal against one four times as long. What else the
/// machine does can only add to it, so that the least of some measurements is taken.
@Suite struct GrowthTests {
    struct Plot: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Steps of the shorter journal.
        var steps = 200
        let tell: @Sendable (inout Story, Int) -> Void
    }

    /// Requests that all arrive before the first answer ends.
    private static func overlapping(
        _ story: inout Story,
        _ count: Int,
        _ tell: (inout Story, Int) -> Void
    ) {
        let start = story.now
        for number in 0..<count {
            story.now = start + Double(number) * 0.001
            tell(&story, number)
        }
        story.now = start + 200
    }

    static let plots: [Plot] = [
        Plot(testDescription: "one key for many targets") { story, count in
            for number in 0..<count { story.post(on: "A\(number)", key: "k") }
        },
        Plot(testDescription: "one key for many targets, each after the ledger forgot it") {
            story,
            count in
            for number in 0..<count {
                story.post(on: "A\(number)", key: "k")
                story.advanceClock(90_000)
            }
        },
        Plot(testDescription: "one call, failing all at once") { story, count in
            overlapping(&story, count) { story, _ in
                story.call(Story.sites, status: 503, takes: 100)
            }
            for _ in 0..<count { story.call(Story.sites) }
        },
        Plot(testDescription: "writes with new keys, failing all at once") { story, count in
            overlapping(&story, count) { story, number in
                story.post(key: "a\(number)", status: 503, takes: 100)
            }
            for number in 0..<count { story.post(key: "b\(number)", status: 503) }
        },
        // Beyond the thousand candidates that the check looks at.
        Plot(testDescription: "writes repeated with keys that were used before", steps: 750) {
            story,
            count in
            for number in 0..<count { story.post(key: "a\(number)") }
            overlapping(&story, count) { story, number in
                story.post(key: "b\(number)", status: 503, takes: 100)
            }
            for number in 0..<count { story.post(key: "a\(number)") }
        },
        Plot(testDescription: "writes that took effect unheard, all at once") { story, count in
            overlapping(&story, count) { story, number in
                story.post(key: "a\(number)", takes: 100) { $0.delivery = .clientLeft }
            }
            for number in 0..<count { story.post(key: "b\(number)") }
        },
        Plot(testDescription: "tokens asked for all at once") { story, count in
            overlapping(&story, count) { story, _ in story.tokenRequest(takes: 100) }
            for _ in 0..<count { story.tokenRequest() }
            story.call(Story.sites)
            story.call(Story.sites)
        },
        Plot(testDescription: "a client id for each token, asked for at once", steps: 400) {
            story,
            count in
            for number in 0..<count {
                story.client = "client-\(number)"
                story.connection = UInt64(number)
                story.tokenRequest()
                story.call(Story.sites)
            }
        },
        Plot(testDescription: "tokens by turns over two connections", steps: 400) { story, count in
            for number in 0..<count {
                story.connection = UInt64(number % 2)
                story.tokenRequest()
                story.call(Story.sites)
            }
            for number in 0..<count {
                story.connection = UInt64(number % 2)
                story.token = "token \(number)"
                story.call(Story.sites)
                story.connection = UInt64(2 + number % 2)
                story.call(Story.sites)
            }
        },
        Plot(testDescription: "calls refused one by one, and tokens that cannot be had") {
            story,
            count in
            for number in 0..<count {
                story.call(Story.summary, on: "A\(number)", status: 401) {
                    $0.refusal = .tokenExpired
                }
                story.tokenRequest(status: 400)
                story.wait(61)
            }
        },
        Plot(testDescription: "calls with one expired token") { story, count in
            overlapping(&story, count) { story, _ in
                story.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
            }
        },
        Plot(testDescription: "uploads to a dead URL, all at once") { story, count in
            overlapping(&story, count) { story, _ in
                story.request(.upload, "PUT", "/uploads/g", status: 403, takes: 100) { entry in
                    entry.refusal = .urlUsed
                    entry.details.presigned = .init(guid: "g", expiresAt: 0)
                }
            }
        },
        Plot(testDescription: "one correlation id, all at once") { story, count in
            overlapping(&story, count) { story, number in
                story.call(Story.summary, on: "A\(number)", takes: 100) { $0.requestID = "same" }
            }
        },
        Plot(testDescription: "pages of one list, all at once") { story, count in
            overlapping(&story, count) { story, number in
                story.call(Story.list, takes: 100) { entry in
                    entry.details.skip = Int32(number)
                    entry.details.take = 1
                    entry.itemCount = 1
                }
            }
        },
        Plot(testDescription: "a chain of attempts without end") { story, count in
            for _ in 0..<count { story.call(Story.sites, status: 503) }
        },
    ]

    @Test("A journal four times as long costs about four times as much", arguments: plots)
    func growth(plot: Plot) {
        func cost(of story: Story) -> Double {
            let start = ThreadTime.seconds
            let report = story.verdict()
            let cost = ThreadTime.seconds - start
            #expect(report.journal.entries == story.entries.count)
            return cost
        }
        var (short, long) = (Story(), Story())
        plot.tell(&short, plot.steps)
        plot.tell(&long, 4 * plot.steps)
        var (small, large) = (Double.infinity, Double.infinity)
        // The square would be 16 times; sorting and growing tables make it a little more than 4. The
        // long one costs most: it is judged again only where the first result says nothing.
        for _ in 0..<5 where large >= 9 * small {
            for _ in 0..<3 { small = min(small, cost(of: short)) }
            large = min(large, cost(of: long))
        }
        #expect(large < 9 * small, "\(small) s, then \(large) s")
    }
}

/// The processor time of this thread, which other load of the machine does not change.
enum ThreadTime {
    static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
