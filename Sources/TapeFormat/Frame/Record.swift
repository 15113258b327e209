/// The kinds of records on a tape. Bit 15 of a stored kind marks a record that a reader must
/// understand; without it, a reader that does not know the kind skips the record.
enum RecordKind: UInt16, CaseIterable {
  /// Hits and side events, standing alone.
  case block = 0x8001
  /// What is known at the end; the last record of a complete tape.
  case trailer = 0x8002
  /// Names of the functions that frames of stacks lie in. May be anywhere; a reader may skip it.
  case symbols = 0x0003
}

/// The groups of columns in records, each compressed on its own. Bit 15 means the same as in
/// ``RecordKind``.
enum RecordGroup: UInt16, CaseIterable {
  /// Of a block: what a replay judges.
  case judged = 0x8001
  /// Of a block: times.
  case times = 0x8002
  /// Of a block: CPUs.
  case cpus = 0x8003
  /// Of a block: the registers that the judged group does not hold.
  case registers = 0x8004
  /// Of a trailer: its tagged fields.
  case trailer = 0x8005
  /// Of a block: the stacks of its hits. A reader may skip it.
  case stacks = 0x0006
  /// Of a symbols record: the names.
  case symbols = 0x0007
}

/// Bit 15 of record kinds and groups.
let mandatoryBit: UInt16 = 0x8000
