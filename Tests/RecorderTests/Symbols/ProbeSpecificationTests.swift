import Testing

@testable import Recorder

@Suite("Probe specifications")
struct ProbeSpecificationTests {
  struct Good: CustomTestStringConvertible {
    let text: String
    let target: ProbeSpecification.Target
    let place: ProbeSpecification.Place
    let wantsReturn: Bool
    let referenceCounter: UInt64
    var testDescription: String { text }

    init(
      _ text: String, _ target: ProbeSpecification.Target, _ place: ProbeSpecification.Place,
      wantsReturn: Bool = false, referenceCounter: UInt64 = 0
    ) {
      self.text = text
      self.target = target
      self.place = place
      self.wantsReturn = wantsReturn
      self.referenceCounter = referenceCounter
    }
  }

  static let good: [Good] = [
    Good("uprobe:/bin/p:main", .named("/bin/p"), .symbol("main", offset: 0)),
    Good("u:/bin/p:main", .named("/bin/p"), .symbol("main", offset: 0)),
    Good("uretprobe:/bin/p:main", .named("/bin/p"), .symbol("main", offset: 0), wantsReturn: true),
    Good("ur:libc:malloc", .named("libc"), .symbol("malloc", offset: 0), wantsReturn: true),
    Good("uprobe:./p:main+4", .named("./p"), .symbol("main", offset: 4)),
    Good("uprobe:p:main+0x1f", .named("p"), .symbol("main", offset: 31)),
    Good("uprobe:p:0x1139", .named("p"), .fileOffset(0x1139)),
    Good("uretprobe:p:0x1139", .named("p"), .fileOffset(0x1139), wantsReturn: true),
    Good("uprobe:p:4409", .named("p"), .fileOffset(4409)),
    Good("uprobe:p:0xffffffffffffffff", .named("p"), .fileOffset(.max)),
    Good("uprobe/p:main+4", .named("p"), .symbol("main", offset: 4)),
    Good("uretprobe//bin/p:main", .named("/bin/p"), .symbol("main", offset: 0), wantsReturn: true),
    Good("main", .unnamed, .symbol("main", offset: 0)),
    Good("main+8", .unnamed, .symbol("main", offset: 8)),
    Good("main%return", .unnamed, .symbol("main", offset: 0), wantsReturn: true),
    Good("0x1139", .unnamed, .fileOffset(0x1139)),
    Good("ma*", .unnamed, .symbol("ma*", offset: 0)),
    Good("uprobe:p:*", .named("p"), .symbol("*", offset: 0)),
    Good(
      "uprobe:p:cpp:\"ns::f(int, char*)\"", .named("p"), .cxxSymbol("ns::f(int, char*)", offset: 0)),
    Good("uprobe:p:cpp:ns::f+2", .named("p"), .cxxSymbol("ns::f", offset: 2)),
    Good("uprobe:p:cpp:\"ns::f\"+2", .named("p"), .cxxSymbol("ns::f", offset: 2)),
    Good("cpp:\"ns::f\"", .unnamed, .cxxSymbol("ns::f", offset: 0)),
    Good("uprobe:p:ns::f(int)", .named("p"), .symbol("ns::f(int)", offset: 0)),
    Good("ns::f(int)%return", .unnamed, .symbol("ns::f(int)", offset: 0), wantsReturn: true),
    Good("u::f", .unnamed, .symbol("u::f", offset: 0)),
    Good(
      "uprobe:p:operator+(ns::A, ns::A)", .named("p"), .symbol("operator+(ns::A, ns::A)", offset: 0)
    ),
    Good("ns::A::operator+", .unnamed, .symbol("ns::A::operator+", offset: 0)),
    Good("ns::A::operator++", .unnamed, .symbol("ns::A::operator++", offset: 0)),
    Good("ns::A::operator++(int)+3", .unnamed, .symbol("ns::A::operator++(int)", offset: 3)),
    Good("ns::A::operator%", .unnamed, .symbol("ns::A::operator%", offset: 0)),
    Good(
      "ns::A::operator%%return", .unnamed, .symbol("ns::A::operator%", offset: 0), wantsReturn: true
    ),
    Good("uprobe:\"/a b:c/p\":main", .named("/a b:c/p"), .symbol("main", offset: 0)),
    Good(
      "uprobe:libc:malloc@GLIBC_2.2.5", .named("libc"), .symbol("malloc@GLIBC_2.2.5", offset: 0)),
    Good("memcpy@@GLIBC_2.14+4", .unnamed, .symbol("memcpy@@GLIBC_2.14", offset: 4)),
    Good("/bin/p:0x1139", .named("/bin/p"), .fileOffset(0x1139)),
    Good("./p:main+4", .named("./p"), .symbol("main", offset: 4)),
    Good("/bin/p:0x1139%return", .named("/bin/p"), .fileOffset(0x1139), wantsReturn: true),
    Good("p:grp/ev /bin/p:0x1139", .named("/bin/p"), .fileOffset(0x1139)),
    Good("p /bin/p:0x1139", .named("/bin/p"), .fileOffset(0x1139)),
    Good("r:ev /bin/p:0x1139", .named("/bin/p"), .fileOffset(0x1139), wantsReturn: true),
    Good("f.constprop.0+4", .unnamed, .symbol("f.constprop.0", offset: 4)),
    Good("usdt:p:a:b", .named("p"), .tracepoint(provider: "a", name: "b")),
    Good("U:/bin/p:a:b", .named("/bin/p"), .tracepoint(provider: "a", name: "b")),
    Good("usdt/libc:libc:setjmp", .named("libc"), .tracepoint(provider: "libc", name: "setjmp")),
    Good("usdt:p:b", .named("p"), .tracepoint(provider: nil, name: "b")),
    Good("usdt:p:a:b*", .named("p"), .tracepoint(provider: "a", name: "b*")),
    Good("U::f", .unnamed, .symbol("U::f", offset: 0)),
    Good("uprobe:p:0x10(0x20)", .named("p"), .fileOffset(0x10), referenceCounter: 0x20),
    Good("p:g/e /bin/p:0x10(32)", .named("/bin/p"), .fileOffset(0x10), referenceCounter: 0x20),
    Good(
      "/bin/p:0x10%return(0x20)", .named("/bin/p"), .fileOffset(0x10), wantsReturn: true,
      referenceCounter: 0x20),
    Good("0x10(0x20)", .unnamed, .fileOffset(0x10), referenceCounter: 0x20),
  ]

  @Test("a well-formed specification says file, place and kind", arguments: good)
  func wellFormed(_ row: Good) throws {
    let specification = try ProbeSpecification(row.text)
    #expect(specification.target == row.target)
    #expect(specification.place == row.place)
    #expect(specification.wantsReturn == row.wantsReturn)
    #expect(specification.referenceCounter == row.referenceCounter)
    #expect(specification.text == row.text)
  }

  static let bad: [(String, ProbeSpecificationError)] = [
    ("", .empty),
    ("kprobe:vfs_read", .unknownKind("kprobe")),
    ("usdt:p", .missingSymbol),
    ("usdt::a:b", .missingPath),
    ("usdt:p:", .missingTracepoint),
    ("usdt:p::b", .missingTracepoint),
    ("usdt:p:a:", .missingTracepoint),
    ("usdt:p:a:b%return", .returnOfTracepoint("a:b%return")),
    ("usdt:li*:a:b", .wildcardInPath("li*")),
    ("uprobe:p:0x10()", .badOffset("")),
    ("uprobe:p:0x10(0)", .badOffset("0")),
    ("uprobe:p:0x10(0x20", .badOffset("0x10(0x20")),
    ("uprobe:p:0x10(-2)", .badOffset("-2")),
    ("/bin/p", .missingSymbol),
    ("/bin/p:", .missingSymbol),
    ("bin/p:main", .missingKind("bin/p:main")),
    ("p:ev /bin/p:0x10 %ax", .fetchArguments("%ax")),
    ("uprobe:", .missingPath),
    ("uprobe::main", .missingPath),
    ("uprobe:p", .missingSymbol),
    ("uprobe:p:", .missingSymbol),
    ("uprobe:p:+4", .missingSymbol),
    ("+4", .missingSymbol),
    ("uprobe:p:cpp:", .missingSymbol),
    ("uprobe:p:cpp:\"\"", .missingSymbol),
    ("uprobe:p:cpp:\"f", .unbalancedQuote),
    ("uprobe:\"p:main", .unbalancedQuote),
    ("uprobe:p:main+", .badOffset("")),
    ("uprobe:p:main+x", .badOffset("x")),
    ("uprobe:p:main+0x", .badOffset("0x")),
    ("uprobe:p:main+0x1ffffffffffffffff", .badOffset("0x1ffffffffffffffff")),
    ("uprobe:p:cpp:\"f\"-4", .badOffset("-4")),
    ("uprobe:p:0xzz", .badOffset("0xzz")),
    ("uprobe:p:18446744073709551616", .badOffset("18446744073709551616")),
    ("main%entry", .unknownSuffix("%entry")),
    ("uprobe:p:main%return", .returnSuffixWithKind("main")),
    ("main:12", .lineNumber("main:12")),
    ("main.c:12", .lineNumber("main.c:12")),
    ("uprobe:lib*:main", .wildcardInPath("lib*")),
  ]

  @Test("a malformed specification is refused with its own reason", arguments: bad)
  func malformed(_ text: String, _ error: ProbeSpecificationError) {
    #expect(throws: error) { try ProbeSpecification(text) }
    #expect(!error.description.isEmpty)
  }

  @Test("any cut and any changed byte of a specification is parsed or refused, never a trap")
  func mutations() {
    for row in Self.good {
      let bytes = Array(row.text.utf8)
      for index in bytes.indices {
        _ = try? ProbeSpecification(String(decoding: bytes[..<index], as: UTF8.self))
        _ = try? ProbeSpecification(String(decoding: bytes[index...], as: UTF8.self))
        for byte in Array("+%:\"*@0 \u{0}".utf8) {
          var changed = bytes
          changed[index] = byte
          _ = try? ProbeSpecification(String(decoding: changed, as: UTF8.self))
        }
      }
    }
  }
}
