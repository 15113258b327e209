import Foundation
import ProbeEvents
import Testing

@testable import Recorder

@Suite("Instructions")
struct InstructionTests {
  /// A decoder, or an error where this Capstone lacks the architecture.
  func decoder(_ architecture: Architecture) throws -> CodeDecoder {
    guard let decoder = CodeDecoder(architecture) else {
      throw Workshop.ToolFailure(description: "Capstone has no decoder for \(architecture.name)")
    }
    return decoder
  }

  @Test("in functions of libc, instructions begin where objdump sees them")
  func libcAgainstObjdump() throws {
    let workshop = try Workshop()
    let program = try workshop.build("p", source: "int main(void) { return 0; }", as: "p.c")
    let locator = TargetLocator(
      command: [program], defaultPath: nil, mappedFiles: [], search: workshop.search())
    let path = try locator.locate(.named("libc")).path
    let judge = Binutils(workshop: workshop, path: path)
    let decoder = try decoder(.x86_64)
    let file = try ELFFile(path: path)
    let functions = try judge.symbols(table: ".dynsym").filter { $0.kind == "FUNC" && $0.size > 0 }
    #expect(functions.count > 1000)
    for function in functions.enumerated().filter({ $0.offset.isMultiple(of: 60) }).map(\.element) {
      let starts = try judge.instructionStarts(
        from: function.address, to: function.address + function.size)
      let offset = try judge.fileOffset(of: function.address)
      let code = file.bytes(at: offset, upTo: Int(function.size) + 16)
      for start in starts {
        #expect(
          InstructionBoundary.check(
            code, address: function.address, distance: start - function.address, decoder: decoder)
            == .begins)
      }
    }
  }

  @Test("arm64 instructions begin at every fourth byte and nowhere else")
  func arm64() throws {
    let decoder = try decoder(.aarch64)
    // stp x29, x30, [sp, #-16]!; mov x29, sp; bl .+8; ret, as the architecture manual encodes them.
    let code: [UInt8] = [
      0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0x02, 0x00, 0x00, 0x94, 0xc0, 0x03, 0x5f,
      0xd6,
    ]
    for distance in 0..<16 as Range<UInt64> {
      let expected: InstructionBoundary =
        distance.isMultiple(of: 4)
        ? .begins : .inside(before: distance & ~3, after: distance & ~3 + 4)
      #expect(
        InstructionBoundary.check(code, address: 0x1000, distance: distance, decoder: decoder)
          == expected)
    }
    #expect(RefusedInstruction.reason([0x20, 0x7c, 0x5f, 0xc8], .aarch64) != nil)
    #expect(RefusedInstruction.reason([0x00, 0x00, 0x20, 0xd4], .aarch64) != nil)
    #expect(RefusedInstruction.reason([0xc0, 0x03, 0x5f, 0xd6], .aarch64) == nil)
  }

  @Test("bytes that are no instruction are told apart, at the end of the code too")
  func undecodable() throws {
    let decoder = try decoder(.x86_64)
    let code: [UInt8] = [0x90, 0x06, 0x90, 0x48]
    #expect(
      InstructionBoundary.check(code, address: 0, distance: 1, decoder: decoder)
        == .undecodable(at: 1))
    #expect(
      InstructionBoundary.check(code, address: 0, distance: 2, decoder: decoder)
        == .undecodable(at: 1))
    #expect(
      InstructionBoundary.check([0x90, 0x48], address: .max, distance: 1, decoder: decoder)
        == .undecodable(at: 1))
    #expect(
      InstructionBoundary.check([], address: 0, distance: 0, decoder: decoder)
        == .undecodable(at: 0))
  }

  /// Instructions the kernel is asked about, and ordinary ones beside them.
  static let candidates: [[UInt8]] = [
    [0x90], [0xcc], [0xcd, 0x80], [0xcf], [0xf1], [0xf4], [0xfa], [0xfb], [0x6c], [0x6e],
    [0xe4, 0], [0xe7, 0], [0xec], [0xef], [0x8e, 0xd0], [0x8e, 0xd8], [0x9c], [0x0f, 0x05],
    [0xf0, 0x01, 0x00], [0xf0, 0x48, 0x01, 0x00], [0x26, 0x01, 0x00], [0x2e, 0x01, 0x00],
    [0x36, 0x01, 0x00], [0x3e, 0xff, 0xe0], [0x64, 0x01, 0x00], [0x65, 0x01, 0x00],
    [0x66, 0x90], [0x66, 0x2e, 0x0f, 0x1f, 0], [0xf3, 0xaa], [0xf2, 0xc3],
    [0xf3, 0x0f, 0x1e, 0xfa],
    [0x48, 0xcf], [0xc3], [0xe8, 0, 0, 0, 0], [0x0f, 0x1f, 0x44, 0, 0], [0xc5, 0xf8, 0x77],
  ]

  static let canAskKernel =
    geteuid() == 0
    && FileManager.default.isReadableFile(atPath: "/sys/bus/event_source/devices/uprobe/type")

  @Test(
    "the live kernel refuses exactly the instructions that we refuse",
    .enabled(if: canAskKernel, "needs root and the kernel's uprobe events"))
  func refusalsAgainstKernel() throws {
    let workshop = try Workshop()
    _ = try workshop.build("ask", source: Self.asker, as: "ask.c")
    let words = Self.candidates.map { code in
      code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    let answers = try workshop.run([workshop.path("ask")] + words).split(separator: "\n")
    #expect(answers.count == Self.candidates.count)
    for (code, answer) in zip(Self.candidates, answers) {
      // 524 is the kernel's own ENOTSUPP, which no header for programs names.
      let isRefused = answer == "524"
      #expect(isRefused || answer == "0")
      #expect((RefusedInstruction.reason(code, .x86_64) != nil) == isRefused, "\(code)")
    }
  }

  /// For each word of hexadecimal digits: maps a file with that instruction executable, asks for a
  /// uprobe on it in this process alone, and prints 0 or the error number.
  static let asker = #"""
    #include <errno.h>
    #include <fcntl.h>
    #include <linux/perf_event.h>
    #include <stdint.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <sys/syscall.h>
    #include <unistd.h>

    static int ask(int type, const char *digits, int number) {
      unsigned char page[4096];
      char name[32];
      memset(page, 0x90, sizeof page);
      for (int i = 0; digits[2 * i]; i++) sscanf(digits + 2 * i, "%2hhx", &page[256 + i]);
      snprintf(name, sizeof name, "code%d", number);
      int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
      if (file < 0 || write(file, page, sizeof page) != sizeof page) return -1;
      void *code = mmap(NULL, sizeof page, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
      if (code == MAP_FAILED) return -1;
      struct perf_event_attr attr = {.type = type, .size = sizeof attr};
      attr.uprobe_path = (uintptr_t)name;
      attr.probe_offset = 256;
      int event = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
      int error = event < 0 ? errno : 0;
      if (event >= 0) close(event);
      munmap(code, sizeof page);
      close(file);
      return error;
    }

    int main(int argc, char **argv) {
      FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "r");
      int type;
      if (!file || fscanf(file, "%d", &type) != 1) return 1;
      for (int i = 1; i < argc; i++) printf("%d\n", ask(type, argv[i], i));
      return 0;
    }
    """#
}
