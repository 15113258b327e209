import Testing

@testable import Recorder

@Suite("Names")
struct NameTests {
  @Test("demangling gives what c++filt gives")
  func demangling() throws {
    let workshop = try Workshop()
    let names = [
      "_Z3fooi", "_ZN2ns3maxIiEET_S1_S1_", "_ZN3FooC1Ev", "_ZNSt6vectorIiSaIiEE9push_backEOi",
      "_ZN2ns1AplERKS0_", "_ZZ4mainENKUlvE_clEv", "_Z3fooi.constprop.0", "_ZN12_GLOBAL__N_13barEv",
      "_ZThn8_N1D1fEv", "_ZN1AcvT_IiEEv",
    ]
    let judged = try workshop.run(["c++filt"] + names).split(separator: "\n").map(String.init)
    #expect(judged.count == names.count)
    for (name, expected) in zip(names, judged) { #expect(demangle(name) == expected) }
  }

  @Test(
    "names that are not mangled stay as they are",
    arguments: ["main", "", "f", "_", "_Z", "_Zzzz", "__libc_start_main", "_Z3foo"])
  func notMangled(name: String) {
    // The last one is a data name, which c++filt gives as "foo".
    #expect(demangle(name) == (name == "_Z3foo" ? "foo" : nil))
  }

  @Test("a name longer than any compiler writes is not demangled")
  func longName() {
    #expect(demangle("_Z5000" + String(repeating: "a", count: 5000) + "v") == nil)
  }

  @Test("a short name that stands for gigabytes is left mangled, and its harmless start is not")
  func demanglingBombs() {
    func doubling(_ levels: Int) -> String {
      // pair<int, int>, then pair<S0_, S0_>, pair<S1_, S1_> and so on.
      "_Z1fSt4pairIiiE"
        + (0..<levels).map {
          "S_IS\(String($0, radix: 36).uppercased())_S\(String($0, radix: 36).uppercased())_E"
        }.joined()
    }
    func packs(_ levels: Int) -> String {
      let type = (1..<levels).reduce("1AIDpT_E") { inner, _ in "1AIDp1BI\(inner)T_EE" }
      return "_Z1fIJiiiiiiiiiiEEvDp" + type
    }
    #expect(
      demangle(doubling(2))?.hasPrefix("f(std::pair<int, int>, std::pair<std::pair<int, int>")
        == true)
    #expect(demangle(packs(1))?.hasPrefix("void f<int, int") == true)
    for levels in [22, 34] { #expect(demangle(doubling(levels)) == nil) }
    for levels in [7, 40] { #expect(demangle(packs(levels)) == nil) }
    #expect(
      DemanglingCost.estimate(Array(("_Z" + String(repeating: "Dp", count: 300)).utf8)) == .max)
    #expect(demangle("_Z99999999999999999999a") == nil)
  }

  @Test("what a terminal would obey is written out")
  func controlCharacters() {
    #expect("f\u{1b}[2J\u{9b}\n".printable == "f\\u{1b}[2J\\u{9b}\\u{a}")
    #expect("größe(int)".printable == "größe(int)")
    let problem = ProbeProblem.notAFunction(path: "/p", symbol: "x\u{1b}]0;")
    #expect(!problem.description.contains("\u{1b}"))
  }

  @Test(
    "a C++ name is accepted with and without return type and parameters",
    arguments: [
      ("foo(int)", ["foo(int)", "foo"]),
      (
        "int ns::max<int>(int, int)",
        ["int ns::max<int>(int,int)", "ns::max<int>(int,int)", "ns::max<int>"]
      ),
      ("ns::A::get() const", ["ns::A::get()const", "ns::A::get()", "ns::A::get"]),
      (
        "(anonymous namespace)::bar(char const*)",
        ["(anonymous namespace)::bar(char const*)", "(anonymous namespace)::bar"]
      ),
      ("A::operator()(int)", ["A::operator()(int)", "A::operator()"]),
      ("A::operator int()", ["A::operator int()", "A::operator int"]),
      ("operator new(unsigned long)", ["operator new(unsigned long)", "operator new"]),
      (
        "std::ostream& operator<< <int>(std::ostream&, A<int>)",
        ["operator<<<int>(std::ostream&,A<int>)", "operator<<<int>"]
      ),
      ("A::operator->() const", ["A::operator->()", "A::operator->"]),
      ("A::operator<(A const&) const", ["A::operator<(A const&)", "A::operator<"]),
      (
        "main::{lambda(int)#1}::operator()(int) const",
        ["main::{lambda(int)#1}::operator()", "main::{lambda(int)#1}::operator()(int)const"]
      ),
      ("decltype (g(x)) h<int>(int)", ["h<int>(int)", "h<int>"]),
      ("f(void (*)(int))", ["f(void(*)(int))", "f"]),
      ("non-virtual thunk to D::f()", ["non-virtual thunk to D::f()"]),
      (
        "foo(int) [clone .constprop.0]",
        ["foo(int)[clone .constprop.0]", "foo.constprop.0", "foo(int).constprop.0"]
      ),
    ] as [(String, [String])])
  func cxxForms(full: String, wanted: [String]) {
    let forms = CxxName(full).forms
    for form in wanted { #expect(forms.contains(CxxName.normalized(form))) }
  }

  @Test("a clone and a thunk do not answer to the plain name")
  func clonesStayApart() {
    #expect(!CxxName("foo(int) [clone .cold]").forms.contains("foo"))
    #expect(!CxxName("foo(int) [clone .cold]").forms.contains("foo(int)"))
    #expect(!CxxName("non-virtual thunk to D::f()").forms.contains("D::f"))
    #expect(!CxxName("non-virtual thunk to D::f()").forms.contains("D::f()"))
  }

  @Test("spaces count only between words")
  func normalization() {
    #expect(CxxName.normalized("f( int ,  unsigned   long * )") == "f(int,unsigned long*)")
    #expect(CxxName.normalized(" f ") == "f")
    #expect(CxxName.normalized("") == "")
  }

  @Test("bracket noise in a name ends in some forms, never a trap")
  func bracketNoise() {
    for noise in [
      "(", ")", "<<>>", "operator", "operator(", "a operator<", "[clone ", " [clone ]", "((((",
      "))((", "{]<)(", "f(operator",
    ] {
      #expect(!CxxName(noise).forms.isEmpty)
      #expect(!CxxName(noise + "(int) [clone .x]").short.isEmpty)
    }
  }

  @Test(
    "a star stands for any text",
    arguments: [
      ("*", "", true), ("*", "abc", true), ("a*", "abc", true), ("*c", "abc", true),
      ("a*c", "abc", true), ("a*c", "ac", true), ("a*a", "a", false), ("a*b*c", "a-b-b-c", true),
      ("a*bc*bc", "abcbc", true), ("a*bc*bc", "abc", false), ("abc", "abc", true),
      ("abc", "abcd", false), ("", "", true), ("**", "x", true), ("*a*", "bcd", false),
      ("ma*oc", "malloc", true), ("ma*oc", "mallocs", false),
    ] as [(String, String, Bool)])
  func wildcards(pattern: String, text: String, expected: Bool) {
    #expect(Wildcard(pattern).matches(text) == expected)
  }

  @Test("near names come nearest first, at most five, and far ones not at all")
  func near() {
    var near = NearMatches(to: "malloc")
    for name in [
      "mallc", "malloc_x", "calloc", "free", "__malloc", "Malloc", "mallocs", "mallo", "valloc",
    ] {
      near.consider(name, shown: name)
    }
    #expect(near.names.prefix(2) == ["Malloc", "__malloc"])
    #expect(near.names.count == 5)
    #expect(!near.names.contains("free"))
  }

  @Test("the checksum is the one gzip writes")
  func checksum() throws {
    var sum = CRC32()
    sum.update(Array("123456789".utf8))
    // The check value of this CRC in every catalogue.
    #expect(sum.checksum == 0xcbf4_3926)
  }
}
