import KernelModel
import ProbeEvents

extension InstructionTreatment {
  /// The column of the register that stands for the instruction pointer while the copy is stepped;
  /// nil where none does.
  var scratch: Int? {
    guard case .x86(let treatment) = self, case .step(let fixUps) = treatment.execution else {
      return nil
    }
    let names = Architecture.x86_64.registerLayout.names
    if fixUps.contains(.scratchSI) { return names.firstIndex(of: "si") }
    if fixUps.contains(.scratchDI) { return names.firstIndex(of: "di") }
    return fixUps.contains(.scratchBX) ? names.firstIndex(of: "bx") : nil
  }
}
