import ProbeEvents

/// Holds a place in a file against what the kernel and the program can bear.
struct PlaceCheck {
  /// The kernel keeps this much of an instruction (`MAX_UINSN_BYTES`).
  private static let instructionBytes = 16
  /// No function is longer; a file that says so is not decoded through.
  private static let decodeLimit: UInt64 = 1 << 26

  let file: LoadedFile

  /// The probe at a distance into a function.
  func probe(
    _ symbol: ELFSymbol, offset distance: UInt64, wantsReturn: Bool
  ) throws(PlaceProblem) -> Probe {
    guard let start = file.codeOffset(of: symbol.address) else {
      throw .symbolNotExecutable(path: file.path, symbol: symbol.displayName)
    }
    let end = symbol.size > 0 ? symbol.size : unknownSize(symbol)
    guard distance == 0 || distance < end else {
      throw .offsetBeyondFunction(symbol: symbol.displayName, offset: distance, size: end)
    }
    let (fileOffset, overflow) = start.addingReportingOverflow(distance)
    guard !overflow, file.codeAddress(ofFileOffset: fileOffset) != nil else {
      throw .notExecutable(path: file.path, offset: fileOffset)
    }
    if wantsReturn { try checkReturn(symbol, distance) }
    try checkInstruction(
      named: symbol.displayName, start: symbol.address, startOffset: start, distance: distance)
    return made(
      fileOffset, symbol: symbol.displayName, symbolOffset: distance, wantsReturn: wantsReturn)
  }

  /// The probe at a tracepoint of the file, with its semaphore as reference counter.
  func probe(_ tracepoint: ELFTracepoint) throws(PlaceProblem) -> Probe {
    guard let offset = file.codeOffset(of: tracepoint.address) else {
      throw .symbolNotExecutable(path: file.path, symbol: tracepoint.displayName)
    }
    var counter: UInt64 = 0
    if tracepoint.semaphore != 0 {
      guard let offset = file.dataOffset(of: tracepoint.semaphore) else {
        throw .counterNotWritable(
          path: file.path, counter: "the semaphore of " + tracepoint.displayName)
      }
      counter = offset
    }
    var probe = try probe(fileOffset: offset, wantsReturn: false, referenceCounter: counter)
    probe.symbol = tracepoint.displayName
    return probe
  }

  /// The probe at a bare file offset.
  func probe(
    fileOffset: UInt64, wantsReturn: Bool, referenceCounter: UInt64 = 0
  ) throws(PlaceProblem) -> Probe {
    try checkCounter(referenceCounter)
    guard let address = file.codeAddress(ofFileOffset: fileOffset) else {
      throw .notExecutable(path: file.path, offset: fileOffset)
    }
    let function = file.symbols.function(containing: address)
    if let start = file.codeStart(around: address), let startOffset = file.codeOffset(of: start),
      startOffset <= fileOffset
    {
      try checkInstruction(
        named: function?.displayName ?? Self.hex(startOffset), start: start,
        startOffset: startOffset, distance: fileOffset - startOffset)
      if wantsReturn, start != address {
        throw .returnOffFunctionStart(
          place: Self.hex(fileOffset), function: function?.displayName ?? Self.hex(startOffset))
      }
    } else {
      try checkInstruction(
        named: Self.hex(fileOffset), start: address, startOffset: fileOffset, distance: 0)
    }
    if wantsReturn, let function { try checkReturn(function, 0) }
    var probe = made(fileOffset, symbol: "", symbolOffset: 0, wantsReturn: wantsReturn)
    probe.referenceCounter = referenceCounter
    return probe
  }

  /// The kernel refuses a counter at an odd place, and never counts one that no process can write.
  private func checkCounter(_ offset: UInt64) throws(PlaceProblem) {
    guard offset != 0 else { return }
    guard offset.isMultiple(of: Probe.referenceCounterBytes) else {
      throw .misalignedCounter(Self.hex(offset))
    }
    // Both bytes, which an even place keeps in one page.
    guard file.dataAddress(ofFileOffset: offset) != nil,
      file.dataAddress(ofFileOffset: offset + 1) != nil
    else { throw .counterNotWritable(path: file.path, counter: Self.hex(offset)) }
  }

  private func made(
    _ fileOffset: UInt64, symbol: String, symbolOffset: UInt64, wantsReturn: Bool
  ) -> Probe {
    Probe(
      path: file.path, fileOffset: fileOffset, symbol: symbol, symbolOffset: symbolOffset,
      wantsReturn: wantsReturn, buildID: file.buildID,
      originalBytes: file.bytes(at: fileOffset, upTo: Self.instructionBytes))
  }

  /// A symbol without a size ends where the next begins.
  private func unknownSize(_ symbol: ELFSymbol) -> UInt64 {
    file.symbols.nextStart(after: symbol.address).map { $0 - symbol.address } ?? Self.decodeLimit
  }

  /// A return probe takes the return address where a call puts it, before the first instruction.
  private func checkReturn(_ symbol: ELFSymbol, _ distance: UInt64) throws(PlaceProblem) {
    guard distance == 0 else {
      throw .returnOffFunctionStart(
        place: symbol.displayName + "+" + Self.hex(distance), function: symbol.displayName)
    }
    if file.entryAddress != 0, symbol.address == file.entryAddress {
      throw .returnWithoutCall(
        symbol: symbol.displayName, reason: "the kernel starts the program there, nothing calls it")
    }
    if let reason = EnteredWithoutCall.reason(symbol.name) {
      throw .returnWithoutCall(symbol: symbol.displayName, reason: reason)
    }
  }

  private func checkInstruction(
    named name: String, start: UInt64, startOffset: UInt64, distance: UInt64
  ) throws(PlaceProblem) {
    let place = distance == 0 ? name : name + "+" + Self.hex(distance)
    guard distance < Self.decodeLimit else {
      throw .undecodable(symbol: name, offset: distance, at: 0)
    }
    // Within `decodeLimit`, so the sum fits.
    let code = file.bytes(at: startOffset, upTo: Int(distance) + Self.instructionBytes)
    guard !file.symbols.isData(start &+ distance) else {
      throw .undecodable(symbol: name, offset: distance, at: distance)
    }
    guard let decoder = CodeDecoder(file.architecture) else {
      throw .undecodable(symbol: name, offset: distance, at: 0)
    }
    switch InstructionBoundary.check(code, address: start, distance: distance, decoder: decoder) {
    case .begins: break
    case .inside(let before, let after):
      throw .insideInstruction(symbol: name, offset: distance, before: before, after: after)
    case .undecodable(let at):
      throw .undecodable(symbol: name, offset: distance, at: at)
    }
    if let reason = RefusedInstruction.reason(
      Array(code.dropFirst(Int(distance))), file.architecture)
    {
      throw .refusedInstruction(place: place, reason: reason)
    }
  }

  private static func hex(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
}
