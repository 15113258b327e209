import Testing

@testable import Recorder

@Suite("tracefs texts")
struct EventFormatTests {
  @Test("a format file gives the event's number and where its fields are")
  func format() throws {
    let format = try #require(
      EventFormat(
        """
        name: a
        ID: 1612
        format:
        \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
        \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

        \tfield:unsigned long __probe_func;\toffset:8;\tsize:8;\tsigned:0;
        \tfield:char comm[16];\toffset:16;\tsize:16;\tsigned:0;

        print fmt: "(%lx)", REC->__probe_func
        """))
    #expect(format.id == 1612)
    #expect(format.fields["__probe_func"] == .init(offset: 8, size: 8))
    #expect(format.fields["comm"] == .init(offset: 16, size: 16))
    #expect(format.fields["common_pid"] == .init(offset: 4, size: 4))
    #expect(format.fields.count == 4)
  }

  @Test("a text without a number is no format")
  func noNumber() {
    #expect(EventFormat("name: a\nformat:\n") == nil)
    #expect(EventFormat("ID: x\n") == nil)
  }

  @Test("events of recorders are told from others by their group")
  func owners() throws {
    let line: Substring = "r:probetape_123_456789/r1_0 /usr/bin/some:0x0000000000001129"
    let name = try #require(DynamicEvents.eventName(line))
    #expect(name == "probetape_123_456789/r1_0")
    let owner = try #require(DynamicEvents.owner(of: name))
    #expect(owner.process == 123 && owner.start == 456_789)
    for other in ["probe_hot/leaf", "probetape_x_1/a", "probetape_1/a", "probetape_1_2_3/a"] {
      #expect(DynamicEvents.owner(of: other) == nil)
    }
  }
}
