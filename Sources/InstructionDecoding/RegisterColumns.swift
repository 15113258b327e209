import ProbeEvents

/// Which column of a register layout holds a register, by the name the decoder gives it. Parts of a
/// register (`al`, `w3`) are in the column of the whole.
enum RegisterColumns {
  /// Columns by name; names of registers that no hit carries are missing.
  static func byName(_ architecture: Architecture) -> [String: Int] {
    switch architecture {
    case .x86_64: x86
    case .aarch64: arm64
    }
  }

  private static let x86: [String: Int] = {
    var columns: [String: Int] = ["rflags": 9, "eflags": 9, "flags": 9]
    let layout = Architecture.x86_64.registerLayout
    for (column, name) in layout.names.enumerated() {
      if ["ax", "bx", "cx", "dx"].contains(name) {
        let letter = String(name.prefix(1))
        for part in ["r\(name)", "e\(name)", name, letter + "l", letter + "h"] {
          columns[part] = column
        }
      } else if ["si", "di", "bp", "sp"].contains(name) {
        for part in ["r\(name)", "e\(name)", name, name + "l"] { columns[part] = column }
      } else if name.hasPrefix("r") {
        for part in ["", "d", "w", "b"] { columns[name + part] = column }
      } else if name == "cs" || name == "ss" {
        columns[name] = column
      }
    }
    return columns
  }()

  private static let arm64: [String: Int] = {
    var columns: [String: Int] = ["fp": 29, "x29": 29, "w29": 29, "lr": 30, "x30": 30, "w30": 30]
    columns["sp"] = 31
    columns["wsp"] = 31
    for number in 0..<29 {
      columns["x\(number)"] = number
      columns["w\(number)"] = number
    }
    return columns
  }()
}
