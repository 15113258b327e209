import KernelModel
import ProbeEvents
import Testing

@Suite("Probes by the function tracer")
struct KprobeFtraceTests {
  let fork = KprobeFixture.fork

  func fixture(_ handlers: [KprobeHandlers]) throws -> KprobeFixture {
    var text = KprobeFixture.text()
    text.ftraceCalls = [fork..<fork + 5]
    var fixture = KprobeFixture(.k10, text: text)
    for handlers in handlers { _ = try fixture.probe(fork, handlers) }
    return fixture
  }

  @Test("nothing is copied, and the flag is set")
  func registration() throws {
    let fixture = try fixture([[.pre]])
    let entry = try #require(fixture.entry(fork))
    #expect(entry.instruction.execution == .ftrace)
    #expect(entry.instruction.slot == nil)
    #expect(entry.instruction.opcode == 0 && entry.instruction.length == 5)
    #expect(entry.isArmed)
    #expect(fixture.kernel.table[entry.members[0]]?.flags.contains(.ftrace) == true)
  }

  @Test("handlers see the pointer behind a breakpoint, then behind the call; the call returns")
  func hit() throws {
    var fixture = try fixture([[.pre, .post], [.pre, .post]])
    let registers = KprobeRegisters(instructionPointer: fork + 5)
    var outcome = fixture.kernel.ftraceHit(fork, registers, on: &fixture.processor)
    var seen: [String] = []
    while case .call(let call, let there) = outcome {
      seen.append("\(call.handler) \(call.probe.rawValue) \(there.instructionPointer - fork)")
      outcome = fixture.kernel.handlerReturned(0, there, on: &fixture.processor)
    }
    #expect(seen == ["ftracePre 1 1", "ftracePre 0 1", "ftracePost 1 5", "ftracePost 0 5"])
    #expect(outcome == .resume(registers))
    #expect(fixture.processor.running == .none)
    #expect(fixture.processor.status == .done)
  }

  @Test("a pre-handler that returns non-zero chooses where to go on")
  func handled() throws {
    var fixture = try fixture([[.pre, .post]])
    guard
      case .call(_, var registers) = fixture.kernel.ftraceHit(
        fork, KprobeRegisters(instructionPointer: fork + 5), on: &fixture.processor)
    else {
      Issue.record("no handler was called")
      return
    }
    registers.instructionPointer = 0x1234
    #expect(
      fixture.kernel.handlerReturned(1, registers, on: &fixture.processor) == .resume(registers))
    #expect(fixture.processor.running == .none)
  }

  @Test("without post-handlers the call returns at once; without any, nothing is changed")
  func fewHandlers() throws {
    for handlers in [KprobeHandlers.pre, []] {
      var fixture = try fixture([handlers])
      let registers = KprobeRegisters(instructionPointer: fork + 5)
      let outcome = fixture.kernel.ftraceHit(fork, registers, on: &fixture.processor)
      #expect(fixture.answer(outcome) == .resume(registers))
      #expect(fixture.log.count == (handlers == .pre ? 1 : 0))
      #expect(fixture.processor.status == .active)
    }
  }

  @Test("a hit inside of another is counted, one inside the tracer is not, a disabled one neither")
  func notRun() throws {
    var fixture = try fixture([[.pre]])
    let id = try #require(fixture.entry(fork)?.members.first)
    let registers = KprobeRegisters(instructionPointer: fork + 5)
    fixture.processor.beginBusy()
    #expect(
      fixture.kernel.ftraceHit(fork, registers, on: &fixture.processor) == .resume(registers))
    #expect(fixture.missed(id) == 1)
    #expect(
      fixture.kernel.ftraceHit(fork, registers, isRecursing: true, on: &fixture.processor)
        == .resume(registers))
    try fixture.kernel.disable(id)
    fixture.processor.endBusy()
    #expect(
      fixture.kernel.ftraceHit(fork, registers, on: &fixture.processor) == .resume(registers))
    #expect(
      fixture.kernel.ftraceHit(0x1, registers, on: &fixture.processor) == .resume(registers))
    #expect(fixture.missed(id) == 1)
  }

  @Test("removing the last post-handler leaves the mark by which the tracer was hooked")
  func postHandlerMark() throws {
    var fixture = try fixture([[.pre], [.post]])
    let post = try #require(fixture.entry(fork)?.members.first)
    fixture.kernel.unregister(post)
    #expect(fixture.entry(fork)?.hasPostHandler == true)
  }

  @Test("the call goes back where it came from, wherever that is")
  func returnAddress() throws {
    var fixture = try fixture([[.pre]])
    let registers = KprobeRegisters(instructionPointer: 0x42)
    let entry = try #require(fixture.kernel.table.lookUp(fork))
    let outcome = fixture.kernel.ftraceHit(fork, registers, on: &fixture.processor)
    #expect(fixture.processor.running == .entry(entry))
    #expect(fixture.answer(outcome) == .resume(registers))
  }

  @Test("on arm64 the call and a breakpoint have four bytes")
  func arm64() throws {
    var text = KprobeFixture.text()
    text.ftraceCalls = [fork..<fork + 4]
    var fixture = KprobeFixture(.k10, .aarch64, text: text)
    _ = try fixture.probe(fork)
    #expect(fixture.entry(fork)?.instruction.length == 4)
    let outcome = fixture.kernel.ftraceHit(
      fork, KprobeRegisters(instructionPointer: fork), on: &fixture.processor)
    guard case .call(_, let registers) = outcome else {
      Issue.record("no handler was called")
      return
    }
    #expect(registers.instructionPointer == fork + 4)
  }

  @Test("a breakpoint met at such a probe passes the call over")
  func breakpoint() throws {
    var fixture = try fixture([[.pre, .post]])
    let outcome = fixture.answer(fixture.hit(fork))
    #expect(outcome.resumed?.instructionPointer == fork + 5)
    #expect(fixture.log == ["pre 0", "post 0"])
  }
}
