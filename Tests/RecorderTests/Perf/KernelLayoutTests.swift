import CPerfEvent
import Glibc
import ProbeEvents
import Testing

@testable import Recorder

/// The structures are the kernel's ABI (`include/uapi/linux/perf_event.h`): their layout never
/// changes, they only grow.
@Suite("layout of the kernel's structures")
struct KernelLayoutTests {
  @Test("perf_event_attr")
  func attributes() {
    #expect(MemoryLayout<perf_event_attr>.size >= 112)
    #expect(MemoryLayout<perf_event_attr>.offset(of: \.type) == 0)
    #expect(MemoryLayout<perf_event_attr>.offset(of: \.size) == 4)
    #expect(MemoryLayout<perf_event_attr>.offset(of: \.config) == 8)
    #expect(MemoryLayout<perf_event_attr>.offset(of: \.sample_type) == 24)
    #expect(MemoryLayout<perf_event_attr>.offset(of: \.read_format) == 32)
    #expect(MemoryLayout<perf_event_attr>.offset(of: \.sample_regs_user) == 80)
    #expect(MemoryLayout<perf_event_attr>.offset(of: \.sample_stack_user) == 88)
    #expect(MemoryLayout<perf_event_attr>.offset(of: \.clockid) == 92)
  }

  @Test("perf_event_mmap_page")
  func controlPage() {
    #expect(MemoryLayout<perf_event_mmap_page>.offset(of: \.data_head) == 1024)
    #expect(MemoryLayout<perf_event_mmap_page>.offset(of: \.data_tail) == 1032)
  }

  @Test("sample fields are those of enum perf_event_sample_format")
  func sampleType() {
    let names = [
      PERF_SAMPLE_IP, PERF_SAMPLE_TID, PERF_SAMPLE_TIME, PERF_SAMPLE_CPU, PERF_SAMPLE_RAW,
      PERF_SAMPLE_IDENTIFIER,
    ]
    #expect(
      PerfAttributes.commonSampleType == names.reduce(0) { $0 | UInt64($1.rawValue) })
    #expect(PerfAttributes.SampleParts.registers.rawValue == UInt64(PERF_SAMPLE_REGS_USER.rawValue))
    #expect(PerfAttributes.SampleParts.stack.rawValue == UInt64(PERF_SAMPLE_STACK_USER.rawValue))
    #expect(PerfAttributes.formatLost == UInt64(PERF_FORMAT_LOST.rawValue))
  }

  @Test("record kinds are those of enum perf_event_type")
  func recordKinds() {
    #expect(PerfRecord.Kind.lost == PERF_RECORD_LOST.rawValue)
    #expect(PerfRecord.Kind.comm == PERF_RECORD_COMM.rawValue)
    #expect(PerfRecord.Kind.exit == PERF_RECORD_EXIT.rawValue)
    #expect(PerfRecord.Kind.fork == PERF_RECORD_FORK.rawValue)
    #expect(PerfRecord.Kind.sample == PERF_RECORD_SAMPLE.rawValue)
    #expect(PerfRecord.Kind.mmap2 == PERF_RECORD_MMAP2.rawValue)
    #expect(PerfRecord.Kind.lostSamples == PERF_RECORD_LOST_SAMPLES.rawValue)
    #expect(PerfRecord.miscExec == UInt64(PERF_RECORD_MISC_COMM_EXEC))
    #expect(PerfRecord.miscBuildID == UInt64(PERF_RECORD_MISC_MMAP_BUILD_ID))
  }

  @Test("the events inherit, share a clock and are tracepoints or dummies, never the uprobe PMU")
  func events() {
    let attributes = PerfAttributes(
      registerMask: 0xff, stackBytes: 64, ringBytes: 8 << 20, waitsForExec: true)
    let side = attributes.sideBand
    let probe = attributes.tracepoint(7, parts: [.registers, .stack])
    #expect(side.type == PERF_TYPE_SOFTWARE.rawValue)
    #expect(probe.type == PERF_TYPE_TRACEPOINT.rawValue && probe.config == 7)
    for event in [side, probe] {
      #expect(event.inherit == 1 && event.disabled == 1 && event.enable_on_exec == 1)
      #expect(event.use_clockid == 1 && event.clockid == CLOCK_MONOTONIC)
      #expect(event.sample_id_all == 1)
    }
    #expect(probe.sample_regs_user == 0xff && probe.sample_stack_user == 64)
    #expect(attributes.ringOwner.wakeup_watermark == 1 << 20)
    #expect(attributes.ringOwner.disabled == 1 && attributes.ringOwner.inherit == 0)
    #expect(attributes.tracepoint(7, parts: []).sample_stack_user == 0)
  }

  @Test("numbers are read at any byte, across words")
  func numbers() {
    let words: [UInt64] = [0x0807_0605_0403_0201, 0x100f_0e0d_0c0b_0a09]
    for byte in 0...8 {
      for size in [1, 2, 4, 8] where byte + size <= 16 {
        let expected = (0..<size).reduce(UInt64(0)) {
          $0 | UInt64(byte + $1 + 1) << UInt64($1 * 8)
        }
        #expect(PerfRecord.number(words.span, byte: byte, size: size) == expected)
      }
    }
  }

  @Test("identifiers find their events, near and far from the first")
  func table() {
    var table = EventTable()
    let entry = EventTable.Entry(role: .sideBand, owner: 1)
    let other = EventTable.Entry(role: .signal, owner: 2)
    table.add(1000, entry)
    table.add(1003, other)
    table.add(7, other)
    table.add(UInt64.max, entry)
    #expect(table[1000] == entry && table[1003] == other)
    #expect(table[7] == other && table[UInt64.max] == entry)
    #expect(table[1001] == nil && table[1004] == nil && table[0] == nil && table[999] == nil)
  }

  @Test(
    "rings are powers of two, large where CPUs are few, and take little memory in all",
    arguments: [(1, 32), (2, 32), (4, 32), (5, 16), (8, 16), (16, 8), (32, 4), (256, 4)])
  func ringSizes(cpus: Int, mebibytes: Int) {
    #expect(RecordingSession.ringBytes(cpus: cpus) == mebibytes << 20)
  }
}
