/// What the function of a frame is called.
public struct StackSymbol: Sendable, Hashable {
  /// The file of the frame.
  public var file: StackFile
  /// ``StackFrame/lookupOffset`` of the frame.
  public var offset: UInt64
  /// File offset of the function's first byte; not behind `offset`.
  public var start: UInt64
  /// The function's name, demangled.
  public var name: String

  /// The function of a frame.
  public init(file: StackFile, offset: UInt64, start: UInt64, name: String) {
    self.file = file
    self.offset = offset
    self.start = start
    self.name = name
  }
}

/// The functions that are known of the frames of a tape.
public struct StackSymbols: Sendable {
  /// Frames kept; what comes after is not.
  public static let limit = 1 << 20

  private struct Function {
    var start: UInt64
    var name: String
  }

  private var functions: [StackFile: [UInt64: Function]] = [:]
  private var count = 0

  /// None.
  public init() {}

  /// All, by file and offset.
  public var all: [StackSymbol] {
    let files = functions.sorted {
      ($0.key.path, $0.key.buildID.description) < ($1.key.path, $1.key.buildID.description)
    }
    return files.flatMap { file, functions in
      functions.sorted { $0.key < $1.key }.map { offset, function in
        StackSymbol(file: file, offset: offset, start: function.start, name: function.name)
      }
    }
  }

  /// Whether there are none.
  public var isEmpty: Bool { count == 0 }

  /// Adds the function of a frame. False when one was known or there are too many.
  @discardableResult
  public mutating func insert(_ symbol: StackSymbol) -> Bool {
    guard count < Self.limit, functions[symbol.file]?[symbol.offset] == nil else { return false }
    functions[symbol.file, default: [:]][symbol.offset] = Function(
      start: symbol.start, name: symbol.name)
    count += 1
    return true
  }

  /// The function of a frame, with the distance of the frame's address from its start; nil when it is
  /// not known.
  public func function(
    of frame: StackFrame, in table: borrowing StackTable
  ) -> (name: String, distance: UInt64)? {
    guard let file = table.file(of: frame),
      let function = functions[file]?[frame.lookupOffset]
    else { return nil }
    return (function.name, frame.offset &- function.start)
  }
}
