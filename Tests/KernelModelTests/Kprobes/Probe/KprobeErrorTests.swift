import KernelModel
import Testing

@Suite("Errors of kprobes")
struct KprobeErrorTests {
  @Test("every refusal carries the kernel's error number")
  func numbers() {
    let invalid: Set<KprobeError> = [
      .addressXorSymbol, .entryUnreadable, .alreadyRegistered, .ftraceUnavailable, .notText,
      .blacklisted, .reserved, .alternatives, .misaligned, .inExceptionTable,
      .instructionRejected, .notRegistered, .gone, .emptyBatch, .notFunctionEntry,
      .returnBlacklisted,
    ]
    let others: [KprobeError: Int32] = [
      .symbolNotFound: 2, .addressWithoutSymbol: 2, .moduleGoing: 2, .moduleInitFreed: 2,
      .dataTooLarge: 7, .noMemory: 12, .secondBreakHandler: 17, .noRoom: 28,
      .insideFtraceCall: 84, .notAnInstruction: 84, .notEmulated: 95,
    ]
    for error in KprobeError.allCases {
      #expect(error.errno == (invalid.contains(error) ? 22 : others[error]), "\(error)")
    }
  }
}
