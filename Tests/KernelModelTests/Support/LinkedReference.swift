import KernelModel
import ProbeEvents

/// A second, slow telling of the return-instance rules, as a linked list with plain version numbers
/// and operators written out. It shares no code with the model.
final class LinkedReference {
  final class Node {
    let function: Address
    let stack: Address
    let original: Address
    let entry: UInt64
    let chained: Bool
    var next: Node?

    init(
      function: Address, stack: Address, original: Address, entry: UInt64, chained: Bool,
      next: Node?
    ) {
      self.function = function
      self.stack = stack
      self.original = original
      self.entry = entry
      self.chained = chained
      self.next = next
    }
  }

  let epoch: Int
  let isARM: Bool
  var head: Node?
  var depth = 0

  init(epoch: Int, isARM: Bool) {
    self.epoch = epoch
    self.isARM = isARM
  }

  /// The listed instances, newest first.
  var nodes: [Node] {
    var all: [Node] = []
    var node = head
    while let current = node {
      all.append(current)
      node = current.next
    }
    return all
  }

  func enter(
    function: Address, sp: Address, word: UInt64, trampoline: Address, entry: UInt64
  ) -> (EntryConclusion.Outcome, Int) {
    if depth >= 64 { return (.omittedAtDepthLimit, 0) }
    if word == UInt64.max { return (.hijackFailed, 0) }
    let chained = word == trampoline
    var dropped = 0
    if epoch >= 3 {
      while let newest = head {
        let alive = chained ? sp <= newest.stack : sp < newest.stack
        if alive { break }
        head = newest.next
        depth -= 1
        dropped += 1
      }
    }
    var original = word
    if chained {
      guard let newest = head else { return (.chainWithoutInstance, dropped) }
      original = newest.original
    }
    head = Node(
      function: function, stack: sp, original: original, entry: entry, chained: chained, next: head)
    depth += 1
    return (chained ? .chained : .pushed, dropped)
  }

  /// Where the task goes on (nil: a signal), and the popped with whether their handlers ran.
  func arrive(sp: Address) -> (Address?, [(Node, Bool)]) {
    var popped: [(Node, Bool)] = []
    guard let newest = head else { return (nil, popped) }
    if epoch < 3 {
      let target = newest.original
      while let node = head {
        popped.append((node, true))
        head = node.next
        if epoch >= 1 || node.chained { depth -= 1 }
        if !node.chained { break }
      }
      return (target, popped)
    }
    while let first = head {
      var last = first
      while last.chained, let below = last.next { last = below }
      let next = last.next
      var valid = true
      if let next { valid = isARM ? sp < next.stack : sp <= next.stack }
      while let node = head, node !== next {
        popped.append((node, valid))
        head = node.next
        depth -= 1
      }
      if valid { return (first.original, popped) }
    }
    return (nil, popped)
  }

  /// A copy for a child of fork or vfork.
  func forked() -> LinkedReference {
    let child = LinkedReference(epoch: epoch, isARM: isARM)
    guard epoch >= 2 else { return child }
    for node in nodes.reversed() {
      child.head = Node(
        function: node.function, stack: node.stack, original: node.original, entry: node.entry,
        chained: node.chained, next: child.head)
      child.depth += 1
    }
    return child
  }
}
