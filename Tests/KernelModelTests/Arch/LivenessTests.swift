import KernelModel
import ProbeEvents
import Testing

@Suite("Liveness")
struct LivenessTests {
  /// One row of the kernel's comparisons: is the instance alive when the stack pointer is below, at,
  /// and above that of the instance?
  struct Row: CustomTestStringConvertible {
    var architecture: Architecture
    var context: LivenessContext
    var below: Bool
    var equal: Bool
    var above: Bool
    var testDescription: String { "\(architecture) \(context)" }
  }

  static let table: [Row] = [
    Row(architecture: .x86_64, context: .call, below: true, equal: false, above: false),
    Row(architecture: .x86_64, context: .chainCall, below: true, equal: true, above: false),
    Row(architecture: .x86_64, context: .return, below: true, equal: true, above: false),
    Row(architecture: .aarch64, context: .call, below: true, equal: false, above: false),
    Row(architecture: .aarch64, context: .chainCall, below: true, equal: true, above: false),
    Row(architecture: .aarch64, context: .return, below: true, equal: false, above: false),
  ]

  @Test("the table has every architecture and context once")
  func complete() {
    for architecture in Architecture.allCases {
      for context in LivenessContext.allCases {
        #expect(
          Self.table.count { $0.architecture == architecture && $0.context == context } == 1)
      }
    }
  }

  @Test(
    "an instance is alive by comparison of stack pointers", arguments: table,
    Epoch.allCases.filter { $0 >= .e3 })
  func comparison(row: Row, epoch: Epoch) {
    let rules = ReturnProbeRules(epoch: epoch, architecture: row.architecture)
    // Both ends of the address space: the comparison is unsigned.
    for stackPointer: Address in [1, 0x7fff_ffff_e000, 0x8000_0000_0000_0000, .max - 1] {
      let instance = ReturnInstance(
        function: 0, stackPointer: stackPointer, originalReturnAddress: 0, isChained: false,
        entry: 0)
      for distance: Address in [1, stackPointer] {
        #expect(
          rules.isAlive(instance, row.context, stackPointer: stackPointer - distance) == row.below)
      }
      #expect(rules.isAlive(instance, row.context, stackPointer: stackPointer) == row.equal)
      for above: Address in [stackPointer + 1, .max] {
        #expect(rules.isAlive(instance, row.context, stackPointer: above) == row.above)
      }
    }
  }

  @Test(
    "before 4.3 every instance is alive", arguments: table, [Epoch.e0, .e1, .e2])
  func always(row: Row, epoch: Epoch) {
    let rules = ReturnProbeRules(epoch: epoch, architecture: row.architecture)
    let instance = ReturnInstance(
      function: 0, stackPointer: 1000, originalReturnAddress: 0, isChained: false, entry: 0)
    for stackPointer: Address in [0, 999, 1000, 1001, .max] {
      #expect(rules.isAlive(instance, row.context, stackPointer: stackPointer))
    }
  }
}
