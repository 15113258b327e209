import ProbeEvents

/// Witnesses <-> bytes: what a list has in common with the last one of its thread is not stored.
///
/// Both sides begin each block without any list.
struct WitnessCodec {
  /// Each thread's last list in the block.
  private var lists: [ThreadIdentity: [WitnessedInstance]] = [:]
  /// Instances of all lists of the block so far.
  private(set) var instanceCount = 0

  mutating func encode(_ witness: Witness, into bytes: inout [UInt8]) {
    precondition(witness.instances.count <= Witness.limit)
    let last = lists[witness.thread] ?? []
    let kept = zip(last, witness.instances).prefix { $0 == $1 }.count
    SideEventCodec.encode(witness.thread, into: &bytes)
    bytes.append(witness.moment.rawValue)
    bytes.appendVarint(UInt64(witness.depth))
    bytes.appendVarint(UInt64(kept))
    bytes.appendVarint(UInt64(witness.instances.count - kept))
    var below = kept > 0 ? last[kept - 1] : Self.ground
    for instance in witness.instances[kept...] {
      bytes.append(instance.isChained ? 1 : 0)
      bytes.appendVarint(Zigzag.encode(instance.function &- below.function))
      bytes.appendVarint(Zigzag.encode(instance.stackPointer &- below.stackPointer))
      bytes.appendVarint(
        Zigzag.encode(instance.originalReturnAddress &- below.originalReturnAddress))
      below = instance
    }
    note(witness)
  }

  mutating func decode(_ fields: inout FieldReader) throws(TapeDamage.Reason) -> Witness {
    let thread = try SideEventCodec.thread(&fields)
    guard let moment = Witness.Moment(rawValue: try fields.byte()) else { throw .valueOutOfRange }
    let depth = try fields.unsigned(UInt32.self)
    let last = lists[thread] ?? []
    let kept = try fields.count(last.count)
    let added = try fields.count(Witness.limit - kept)
    // Lists repeat what came before, so a few bytes can stand for many instances.
    guard instanceCount + kept + added <= TapeLimits.witnessedInstancesPerBlock else {
      throw .overLimit
    }
    var instances = Array(last[..<kept])
    var below = instances.last ?? Self.ground
    for _ in 0..<added {
      let isChained = try fields.flag()
      below.function &+= Zigzag.decode(try fields.varint())
      below.stackPointer &+= Zigzag.decode(try fields.varint())
      below.originalReturnAddress &+= Zigzag.decode(try fields.varint())
      below.isChained = isChained
      instances.append(below)
    }
    let witness = Witness(thread: thread, moment: moment, depth: depth, instances: instances)
    note(witness)
    return witness
  }

  private mutating func note(_ witness: Witness) {
    lists[witness.thread] = witness.instances
    instanceCount += witness.instances.count
  }

  /// What the oldest instance is told from.
  private static let ground = WitnessedInstance(
    function: 0, stackPointer: 0, originalReturnAddress: 0, isChained: false)
}
