import ProbeEvents
import Replay
import TapeFormat
import Testing

@testable import HandlerHost

/// What a foreign handler can read of its task's memory.
@Suite struct UserMemoryTests {
  private func read(_ memory: UserMemory, _ address: Address, _ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0xEE, count: count)
    let isRead = unsafe bytes.withUnsafeMutableBytes { unsafe memory.read(address, into: $0) }
    // What cannot be read is not half copied.
    if !isRead { #expect(bytes.allSatisfy { $0 == 0xEE }) }
    return isRead ? bytes : nil
  }

  private func memory(at address: Address) -> UserMemory {
    var memory = UserMemory()
    let words: [UInt64] = [0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908]
    memory.see(words.span, at: address)
    return memory
  }

  @Test("the window is read byte for byte, and nothing around it")
  func window() {
    let known = memory(at: 0x1000)
    #expect(read(known, 0x1000, 16) == Array(0..<16))
    #expect(read(known, 0x1005, 6) == Array(5..<11))
    #expect(read(known, 0x100F, 1) == [15])
    #expect(read(known, 0x1010, 0) == [])
    #expect(read(known, 0x0FFF, 2) == nil)
    #expect(read(known, 0x1009, 8) == nil)
    #expect(read(known, 0x1010, 1) == nil)
    #expect(read(known, 0, 8) == nil)
    #expect(read(known, .max, 1) == nil)
  }

  @Test("a window at the end of all addresses wraps around to nothing")
  func endOfAddresses() {
    let known = memory(at: .max - 7)
    #expect(read(known, .max - 7, 8) == Array(0..<8))
    #expect(read(known, 0, 8) == nil)
  }

  @Test("what is written into the window is read back, until it is forgotten")
  func written() {
    var known = memory(at: 0x1000)
    let bytes: [UInt8] = [0xAA, 0xBB]
    unsafe bytes.withUnsafeBytes { unsafe known.write(0x1007, $0) }
    #expect(read(known, 0x1006, 4) == [6, 0xAA, 0xBB, 9])
    unsafe bytes.withUnsafeBytes { unsafe known.write(0x100F, $0) }
    #expect(read(known, 0x100F, 1) == [15])
    known.forget()
    #expect(read(known, 0x1000, 1) == nil)
  }

  /// What a handler finds of the stack, said by the handler: it faults where it is not as the header
  /// promises. `TapeBuilder` keeps windows of eight words.
  @Test("a handler reads the whole window of its hit, and its own writes in it, and no more")
  func throughTheTable() throws {
    let built = try BuiltLibrary(
      example: "handler.c", replacing: "    if (!hijack(state, entry)) {",
      by: """
            uint64_t words[9];
            const struct probe_host *host = state->host;
            if (host->read_user(host->context, entry->sp, words, 64))
              host->fault(host->context, "the window cannot be read");
            if (words[0] != entry->stack_word)
              host->fault(host->context, "the window has another first word");
            if (!host->read_user(host->context, entry->sp, words, 65))
              host->fault(host->context, "more than the window is read");
            if (!host->read_user(host->context, entry->sp - 1, words, 1))
              host->fault(host->context, "memory below the stack is read");
            int is_hijacked = hijack(state, entry);
            if (host->read_user(host->context, entry->sp, words, 8) || words[0] != entry->trampoline)
              host->fault(host->context, "the trampoline was written and is not there");
            if (!is_hijacked) {
        """)
    let library = try HandlerLibrary(path: built.path)
    for bytes in [try Tapes.chain(.x86_64), try Tapes.longjmp(.x86_64)] {
      var reader = try TapeReader(bytes: bytes)
      let conclusion = try ForeignReplay.replay(&reader, library: library, name: "reader")
      #expect(conclusion.divergences == [])
      #expect(conclusion.verdict == .match)
    }
  }

  @Test("at the trampoline the stack is readable too, and not where only a signal tells of it")
  func atTheTrampoline() throws {
    let built = try BuiltLibrary(
      example: "handler.c", replacing: "    if (!task->depth) {",
      by: """
            uint64_t word;
            int is_known = !host->read_user(host->context, arrival->sp, &word, 8);
            if (is_known != (task->depth > 0))
              host->fault(host->context, "known where it should not be, or not where it should");
            if (!task->depth) {
        """)
    let library = try HandlerLibrary(path: built.path)
    var reader = try TapeReader(bytes: try Tapes.stray(.x86_64))
    let conclusion = try ForeignReplay.replay(&reader, library: library, name: "reader")
    #expect(conclusion.divergences == [])
    #expect(conclusion.verdict == .match)
  }
}
