import ProbeEvents
import Testing

@Suite struct StackTableTests {
  @Test func `stacks share the frames they have in common`() {
    var table = StackTable()
    let file = table.place(of: StackFile(path: "/a", buildID: [1]))
    func frame(_ offset: UInt64) -> StackFrame {
      StackFrame(file: file, offset: offset, isExact: false)
    }
    let first = table.reference(of: [frame(3), frame(2), frame(1)], .complete)
    let second = table.reference(of: [frame(4), frame(2), frame(1)], .complete)
    let again = table.reference(of: [frame(3), frame(2), frame(1)], .complete)
    let cut = table.reference(of: [frame(3), frame(2), frame(1)], .windowEnd)
    #expect(table.nodes.count == 7)
    #expect(first == again && first != second && first != cut)
    #expect(table.frames(of: second).map(\.offset) == [4, 2, 1])
    #expect(table.ending(of: cut) == .windowEnd && table.ending(of: first) == .complete)
  }

  @Test func `thousands of stacks are found again`() {
    var table = StackTable()
    let frames = (0..<5000).map {
      StackFrame(file: StackFrame.noFile, offset: UInt64($0), isExact: true)
    }
    let references = frames.map { table.reference(of: [$0], .complete) }
    #expect(Set(references).count == 5000)
    #expect(frames.map { table.reference(of: [$0], .complete) } == references)
    #expect(references.map { table.frames(of: $0) } == frames.map { [$0] })
  }
}
