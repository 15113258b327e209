/// What a reader does at a place where a record should start: the decision table of the spec's
/// "Salvage" section.
struct SalvageRule: Equatable {
  /// The record header at this place.
  enum Header: CaseIterable { case valid, invalid, incomplete, nothing }
  /// The payload that a valid header announces.
  enum Payload: CaseIterable { case decodes, undecodable, cut }
  /// What stands where a valid header says that its record ends.
  enum Following: CaseIterable { case record, endOfFile, neither }
  /// What to do.
  enum Action: CaseIterable {
    /// Use the record and go on at its end.
    case deliver
    /// Report the record as damage and go on at its end.
    case reportRecord
    /// Report damage from here to the next valid record header after this record's header.
    case reportToNextAfterHeader
    /// Report damage from here to the next valid record header after this byte.
    case reportToNext
    /// Report all bytes left as damage, and end.
    case reportRest
    /// End.
    case end
  }

  var header: Header
  /// Nil: whatever it is.
  var payload: Payload?
  /// Nil: whatever it is.
  var following: Following?
  /// Whether the last record tried was damaged, too; nil: either.
  var afterDamage: Bool?
  var action: Action

  /// The table; each situation matches exactly one row.
  ///
  /// A record that does not decode and is not followed by another has perhaps lost bytes, so its
  /// announced end means nothing and the next record may start within. Only the first of several
  /// damaged records in a row is searched like that: a crafted tape cannot make a reader go over
  /// the same bytes again and again.
  static let table: [SalvageRule] = [
    SalvageRule(.valid, .decodes, nil, nil, .deliver),
    SalvageRule(.valid, .undecodable, .record, nil, .reportRecord),
    SalvageRule(.valid, .undecodable, .endOfFile, nil, .reportRecord),
    SalvageRule(.valid, .undecodable, .neither, false, .reportToNextAfterHeader),
    SalvageRule(.valid, .undecodable, .neither, true, .reportRecord),
    SalvageRule(.valid, .cut, nil, false, .reportToNextAfterHeader),
    SalvageRule(.valid, .cut, nil, true, .reportRest),
    SalvageRule(.invalid, nil, nil, nil, .reportToNext),
    SalvageRule(.incomplete, nil, nil, nil, .reportRest),
    SalvageRule(.nothing, nil, nil, nil, .end),
  ]

  private init(
    _ header: Header, _ payload: Payload?, _ following: Following?, _ afterDamage: Bool?,
    _ action: Action
  ) {
    self.header = header
    self.payload = payload
    self.following = following
    self.afterDamage = afterDamage
    self.action = action
  }

  func matches(
    _ header: Header, _ payload: Payload, _ following: Following, afterDamage: Bool
  ) -> Bool {
    self.header == header && (self.payload ?? payload) == payload
      && (self.following ?? following) == following
      && (self.afterDamage ?? afterDamage) == afterDamage
  }

  /// The action of the row that matches. The test of the table shows that there always is one.
  static func action(
    _ header: Header, _ payload: Payload, _ following: Following, afterDamage: Bool
  ) -> Action {
    for rule in table
    where rule.matches(header, payload, following, afterDamage: afterDamage) {
      return rule.action
    }
    preconditionFailure("the salvage table has a gap")
  }
}
