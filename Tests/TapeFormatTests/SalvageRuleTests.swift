import Testing

@testable import TapeFormat

@Suite struct SalvageRuleTests {
  @Test func everySituationMatchesExactlyOneRow() {
    for header in SalvageRule.Header.allCases {
      for payload in SalvageRule.Payload.allCases {
        for following in SalvageRule.Following.allCases {
          for afterDamage in [false, true] {
            let rows = SalvageRule.table.filter {
              $0.matches(header, payload, following, afterDamage: afterDamage)
            }
            #expect(rows.count == 1, "\(header) \(payload) \(following) \(afterDamage)")
          }
        }
      }
    }
  }

  @Test func everyRowAndActionIsInUse() {
    #expect(SalvageRule.table.count == 10)
    #expect(Set(SalvageRule.table.map(\.action)).count == SalvageRule.Action.allCases.count)
  }

  @Test func noSituationWithoutAReadableRecordDelivers() {
    for rule in SalvageRule.table where rule.action == .deliver {
      #expect(rule.header == .valid && rule.payload == .decodes)
    }
  }
}
