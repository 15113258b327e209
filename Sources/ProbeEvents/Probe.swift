/// A probed place in a file: what the kernel calls a uprobe, identified by inode and file offset.
///
/// A probe that wants returns has two events while recording, an entry event and a return event; on
/// the tape it is one probe with hits of both kinds.
public struct Probe: Sendable, Hashable {
  /// The size of a reference counter, and what its offset must be a multiple of.
  public static let referenceCounterBytes: UInt64 = 2

  /// Absolute path of the probed file at recording time.
  public var path: String
  /// Offset of the probed instruction in the file (not its virtual address).
  public var fileOffset: UInt64
  /// Symbol the probe was asked for, as in the symbol table, or `PROVIDER:NAME` of a tracepoint that
  /// the program has there; empty for a bare offset.
  public var symbol: String
  /// Distance of the probed instruction from the symbol, in bytes.
  public var symbolOffset: UInt64
  /// Whether the return is probed as well.
  public var wantsReturn: Bool
  /// The file's build id; empty when it has none.
  public var buildID: [UInt8]
  /// The original instruction bytes at the offset, up to 16 (`MAX_UINSN_BYTES`).
  public var originalBytes: [UInt8]
  /// Offset in the file of the probe's reference counter (a tracepoint's semaphore), which the kernel
  /// counts up in a process while the probe's breakpoint is there; 0 for none.
  public var referenceCounter: UInt64

  /// A probe at an offset of a file.
  public init(
    path: String, fileOffset: UInt64, symbol: String = "", symbolOffset: UInt64 = 0,
    wantsReturn: Bool, buildID: [UInt8] = [], originalBytes: [UInt8] = [],
    referenceCounter: UInt64 = 0
  ) {
    self.path = path
    self.fileOffset = fileOffset
    self.symbol = symbol
    self.symbolOffset = symbolOffset
    self.wantsReturn = wantsReturn
    self.buildID = buildID
    self.originalBytes = originalBytes
    self.referenceCounter = referenceCounter
  }

  /// Whether the probe is known to be at the first instruction of a function.
  public var isAtFunctionStart: Bool { wantsReturn || (!symbol.isEmpty && symbolOffset == 0) }

  /// The symbol with its offset, or the file offset where there is no symbol.
  public var displayName: String {
    guard !symbol.isEmpty else { return "0x" + String(fileOffset, radix: 16) }
    return symbolOffset == 0 ? symbol : symbol + "+0x" + String(symbolOffset, radix: 16)
  }
}
