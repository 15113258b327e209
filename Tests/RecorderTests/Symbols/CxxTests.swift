import ProbeEvents
import Testing

@testable import Recorder

@Suite("C++ functions")
struct CxxTests {
  static let source = """
    #include <cstdio>
    namespace ns {
    struct A {
      int value;
      __attribute__((noinline)) A(int v) : value(v) {}
      __attribute__((noinline)) int get(char const *text) const { return value + *text; }
      __attribute__((noinline)) A operator+(A const &other) const { return A(value + other.value); }
      __attribute__((noinline)) operator int() const { return value; }
    };
    __attribute__((noinline)) int twice(int n) { return n * 2; }
    __attribute__((noinline)) double twice(double n) { return n * 2; }
    template <typename T> __attribute__((noinline)) T most(T a, T b) { return a < b ? b : a; }
    }
    extern "C" __attribute__((noinline)) int plain(int n) { return n + 1; }
    int main(int c, char **v) {
      ns::A a(c);
      return (a + a).get(*v) + ns::twice(c) + (int)ns::twice(2.0) + ns::most(c, 4) + plain(c)
        + (int)a;
    }
    """

  @Test(
    "a function is found by its mangled name and by each way to write the demangled one",
    arguments: [
      ("_ZN2ns5twiceEi", ["_ZN2ns5twiceEi"]),
      ("ns::twice(int)", ["_ZN2ns5twiceEi"]),
      ("cpp:\"ns::twice( int )\"", ["_ZN2ns5twiceEi"]),
      ("ns::twice", ["_ZN2ns5twiceEd", "_ZN2ns5twiceEi"]),
      ("ns::A::get", ["_ZNK2ns1A3getEPKc"]),
      ("ns::A::get(char const*) const", ["_ZNK2ns1A3getEPKc"]),
      ("cpp:\"ns::A::get(char const*)\"", ["_ZNK2ns1A3getEPKc"]),
      ("ns::A::operator+", ["_ZNK2ns1AplERKS0_"]),
      ("ns::A::operator int", ["_ZNK2ns1AcviEv"]),
      ("ns::most<int>", ["_ZN2ns4mostIiEET_S1_S1_"]),
      ("int ns::most<int>(int, int)", ["_ZN2ns4mostIiEET_S1_S1_"]),
      ("ns::twi*", ["_ZN2ns5twiceEd", "_ZN2ns5twiceEi"]),
      ("_ZN2ns5twice*", ["_ZN2ns5twiceEd", "_ZN2ns5twiceEi"]),
      ("cpp:\"ns::twice(i*\"", ["_ZN2ns5twiceEi"]),
      ("plain", ["plain"]),
    ] as [(String, [String])])
  func forms(text: String, mangled: [String]) throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.cpp")
    let judge = Binutils(workshop: workshop, path: path)
    let probes = try workshop.resolver(command: [path]).resolve([ProbeSpecification(text)])
    #expect(
      probes.map(\.fileOffset)
        == (try mangled.map { try judge.fileOffset(ofSymbol: $0) }.sorted()))
    #expect(probes.map(\.symbol).sorted() == mangled)
  }

  @Test("both constructors of a class at one address are one probe")
  func constructors() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.cpp")
    let probes = try workshop.resolver(command: [path]).resolve([
      ProbeSpecification("ns::A::A(int)%return")
    ])
    let offset = try Binutils(workshop: workshop, path: path).fileOffset(
      ofSymbol: "_ZN2ns1AC1Ei")
    #expect(probes.map(\.fileOffset) == [offset])
  }

  @Test("cpp: does not take a C function, and a near C++ name is shown demangled")
  func notFound() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.cpp")
    let resolver = workshop.resolver(command: [path])
    guard case .unknownSymbol? = try resolver.problem("cpp:\"plain\"") else {
      Issue.record("cpp: found a C function")
      return
    }
    guard case .unknownSymbol(_, _, let near, .none)? = try resolver.problem("ns::twise") else {
      Issue.record("a misspelt name was found")
      return
    }
    #expect(near.contains("ns::twice"))
    guard case .unknownSymbol(_, _, let long, .none)? = try resolver.problem("ns::twise(int)")
    else {
      Issue.record("a misspelt name was found")
      return
    }
    #expect(long.first == "ns::twice(int)")
  }
}
