import Glibc
import ProbeEvents
import Testing

@testable import Recorder

@Suite("what /proc and /sys say")
struct HostTextTests {
  @Test(
    "CPU lists",
    arguments: [
      ("0", [0]), ("0-3", [0, 1, 2, 3]), ("0-1,4,6-7", [0, 1, 4, 6, 7]), ("", []), ("3-1", []),
      ("0-9999999", []),
    ] as [(String, [Int32])])
  func cpuLists(text: String, cpus: [Int32]) {
    #expect(Host.numbers(inList: text) == cpus)
  }

  @Test("a process's start time is found behind a name with spaces and parentheses")
  func startTime() {
    let fields = (3...52).map { $0 == 22 ? "987654" : "\($0)" }.joined(separator: " ")
    #expect(ProcessStat.startTime(inStat: "7 (a ) b (c)) \(fields)") == 987_654)
    #expect(ProcessStat.startTime(inStat: "7 (a) S 1") == nil)
    #expect(ProcessStat.startTime(inStat: "") == nil)
  }

  @Test("this process has a start time, and one that cannot be has none")
  func live() {
    #expect(ProcessStat.startTime(of: getpid()) != nil)
    #expect(ProcessStat.startTime(of: Int32.max) == nil)
  }

  @Test("only executable mappings are taken, with names as records of the kernel have them")
  func maps() {
    let lines: [(Substring, Mapping?)] = [
      (
        "7f0000001000-7f0000003000 r-xp 00002000 fe:00 1234                       /usr/lib/a b.so",
        Mapping(
          process: 5, start: 0x7f00_0000_1000, length: 0x2000, fileOffset: 0x2000,
          path: "/usr/lib/a b.so")
      ),
      ("7f0000003000-7f0000004000 rw-p 00000000 00:00 0 ", nil),
      (
        "7fffffffe000-7ffffffff000 --xp 00000000 00:00 0                          [uprobes]",
        Mapping(
          process: 5, start: 0x7fff_ffff_e000, length: 0x1000, fileOffset: 0, path: "[uprobes]")
      ),
      (
        "10000-20000 rwxp 00000000 00:00 0",
        Mapping(process: 5, start: 0x10000, length: 0x10000, fileOffset: 0, path: "//anon")
      ),
      ("nonsense", nil),
      ("2000-1000 r-xp 00000000 00:00 0", nil),
    ]
    for (line, mapping) in lines { #expect(ProcessMaps.mapping(line, process: 5) == mapping) }
  }

  @Test(
    "lockdown",
    arguments: [
      ("[none] integrity confidentiality", .off), ("none [integrity] confidentiality", .integrity),
      ("none integrity [confidentiality]", .confidentiality), ("none", nil),
    ] as [(String, Lockdown?)])
  func lockdown(text: String, level: Lockdown?) {
    #expect(Lockdown(list: text) == level)
  }

  @Test("wait statuses")
  func waitStatuses() {
    #expect(LaunchedCommand.meaning(of: 0x0700) == .exited(7))
    #expect(LaunchedCommand.meaning(of: 9) == .killed(9))
    // With a core dump.
    #expect(LaunchedCommand.meaning(of: 0x8b) == .killed(11))
  }

  @Test("privileges count outside user namespaces only")
  func privileges() {
    let status = "Name:\tx\nCapEff:\t000001fffeffffff\nSeccomp:\t2\n"
    let first = "         0          0 4294967295"
    let full = Privileges(status: status, userMap: first)
    #expect(full.mayTrace && full.seccomp == 2 && full.has(.perfmon))
    #expect(!Privileges(status: status, userMap: "0 1000 1").mayTrace)
    #expect(!Privileges(status: "CapEff:\t0000000000000000", userMap: first).mayTrace)
    let perfmon = String(1 << 38 | 1 << 1, radix: 16)
    #expect(Privileges(status: "CapEff:\t\(perfmon)", userMap: first).mayTrace)
  }
}
