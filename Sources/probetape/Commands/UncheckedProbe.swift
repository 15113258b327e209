import ArgumentParser
import ProbeEvents

/// A return probe taken as it is, with nobody looking whether the file can be probed there:
/// `PATH:0xOFFSET:SYMBOL`.
///
/// This is how `tools/record-all` records its 32-bit program. `-e` refuses such files, as kernels
/// before 7.0 and their stable releases may let a 32-bit target hit one probe for ever.
enum UncheckedProbe {
  static func parse(_ text: String) throws -> Probe {
    let parts = text.split(separator: ":").map(String.init)
    guard parts.count == 3, parts[1].hasPrefix("0x"),
      let offset = UInt64(parts[1].dropFirst(2), radix: 16)
    else { throw ValidationError("'\(text)' is not PATH:0xOFFSET:SYMBOL.") }
    return Probe(path: parts[0], fileOffset: offset, symbol: parts[2], wantsReturn: true)
  }
}
