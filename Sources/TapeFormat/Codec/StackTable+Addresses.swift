package import ProbeEvents

extension StackTable {
  /// The reference of a stack of addresses in a process with these mappings: the place that the task
  /// is at, and those that its calls return to, innermost first. What no longer fits is left out at
  /// the inner end.
  package mutating func reference(
    innermost: Address, callers: [Address], _ ending: StackEnding, _ map: ProcessMap
  ) -> StackReference {
    var caller: StackReference = 0
    for address in callers.reversed() {
      caller = reference(address, isExact: false, below: caller, ending, map)
    }
    return reference(innermost, isExact: true, below: caller, ending, map)
  }

  private mutating func reference(
    _ address: Address, isExact: Bool, below caller: StackReference, _ ending: StackEnding,
    _ map: ProcessMap
  ) -> StackReference {
    guard !isFull else { return caller }
    var frame = StackFrame(file: StackFrame.noFile, offset: address, isExact: isExact)
    if let area = map.area(at: address), area.file.isStorable {
      frame.file = place(of: area.file)
      frame.offset = address - area.start &+ area.fileOffset
    }
    return reference(
      of: Node(caller: caller, ending: caller == 0 ? ending : .complete, frame: frame))
  }
}
