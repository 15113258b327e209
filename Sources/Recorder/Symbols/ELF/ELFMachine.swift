import CElf
import Glibc
public import ProbeEvents

/// The machine codes of ELF headers, as architectures and as names for messages.
enum ELFMachine {
  /// The architecture of a machine code, or nil when there is no model for it.
  static func architecture(_ machine: UInt16) -> Architecture? {
    switch Int32(machine) {
    case EM_X86_64: .x86_64
    case EM_AARCH64: .aarch64
    default: nil
    }
  }

  /// The name of a machine code.
  static func name(_ machine: UInt16) -> String {
    switch Int32(machine) {
    case EM_X86_64: "x86_64"
    case EM_AARCH64: "aarch64"
    case EM_386: "i386"
    case EM_ARM: "arm"
    case EM_RISCV: "riscv"
    case EM_PPC64: "ppc64"
    case EM_S390: "s390"
    default: "machine \(machine)"
    }
  }
}

extension ELFFile {
  /// The architecture the file is for; nil when there is no model for it.
  public var architecture: Architecture? { ELFMachine.architecture(machine) }
}
