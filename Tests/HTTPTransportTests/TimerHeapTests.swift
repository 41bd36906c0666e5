import HTTPTransport
import Testing

@Suite("Timer heap")
struct TimerHeapTests {
    @Test("The heap agrees with a sorted list, whatever is set and removed")
    func agreesWithModel() {
        var heap = TimerHeap()
        var model: [Int: UInt64] = [:]
        var dice = StressTests.Dice(state: 3)
        for _ in 0..<5000 {
            let slot = dice.below(40)
            if dice.below(3) == 0 {
                heap.remove(slot)
                model[slot] = nil
            } else {
                let time = UInt64(dice.below(100))
                heap.set(time, of: slot)
                model[slot] = time
            }
            #expect(heap.time(of: slot) == model[slot])
            #expect(heap.first?.time == model.values.min())
            if let first = heap.first { #expect(model[first.slot] == first.time) }
        }
        var times: [UInt64] = []
        while let first = heap.first {
            times.append(first.time)
            heap.remove(first.slot)
        }
        #expect(times == model.values.sorted())
    }
}
