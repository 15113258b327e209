import ProbeEvents
import Testing

@testable import TapeExchange

/// The texts of stacks are kept so that they are made once, within bounds.
@Suite struct StackTextTests {
  private func hit(_ place: Int) -> FollowedHit {
    FollowedHit(
      index: UInt64(place), kind: .entry, probe: 0,
      thread: ThreadIdentity(process: 1, thread: 1), place: place, time: 0, conclusion: nil,
      returnsHit: nil, mappings: (number: 1, map: ProcessMap()))
  }

  /// A stack of so many frames, and with it all shorter ones: a hit for each.
  private func nested(_ count: Int) -> HitColumns {
    var columns = HitColumns()
    var caller: StackReference = 0
    for number in 0..<count {
      let frame = StackFrame(
        file: StackFrame.noFile, offset: UInt64(number), isExact: false)
      caller = columns.stackTable.reference(
        of: StackTable.Node(caller: caller, ending: .complete, frame: frame))
      columns.stacks.append(caller)
    }
    return columns
  }

  @Test func `stacks of any length take no more than the memory for their texts`() {
    let columns = nested(1000)
    var texts = StackTexts()
    var sum = 0
    for place in columns.stacks.indices {
      let text = texts.text(hit(place), columns) { frames, _ in
        String(repeating: "x", count: frames.count * 100)
      }
      #expect(text?.utf8.count == (place + 1) * 100)
      #expect(texts.bytes <= StackTexts.bytesMax)
      sum += text?.utf8.count ?? 0
    }
    // They would not all have had room.
    #expect(sum > 2 * StackTexts.bytesMax)
  }

  @Test func `a text is made once, and again when the tape goes on with other stacks`() {
    var texts = StackTexts()
    var made = 0
    func use(_ columns: HitColumns) {
      for place in columns.stacks.indices {
        _ = texts.text(hit(place), columns) { frames, _ in
          made += 1
          return "\(frames.count)"
        }
      }
    }
    let columns = nested(3)
    use(columns)
    use(columns)
    #expect(made == 3 && texts.bytes == 3)
    use(nested(2))
    #expect(made == 5 && texts.bytes == 2)
  }
}
