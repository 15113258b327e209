/// A made-up arm64 run: `outer` calls `inner`, which tail-calls `last`.
enum ArmProgram {
  static let base: UInt64 = 0xAAAA_0000_0000
  static let trampoline: UInt64 = 0xFFFF_8000_0000
  static let outer = base + 0x100
  static let inner = base + 0x200
  static let last = base + 0x300
  static let main = base + 0x40
  static let inOuter = base + 0x120

  /// 33 registers: x0 to x28, x29, lr, sp, pc.
  static func registers(lr: UInt64, sp: UInt64, pc: UInt64) -> [UInt64] {
    (0..<30).map { UInt64($0) + 1 } + [lr, sp, pc]
  }

  /// A builder with the side band of a launched program.
  static func start(
    _ functions: [String] = ["outer", "inner", "last"], usesMmap2: Bool = true,
    configure: (inout PerfDataBuilder) -> Void = { _ in }
  ) -> PerfDataBuilder {
    var builder = PerfDataBuilder(functions: functions)
    configure(&builder)
    builder.comm("program", time: 1_000, isExec: true)
    if usesMmap2 {
      builder.mmap2(
        "/bin/program", start: base, length: 0x1000, offset: 0x4000, time: 1_100,
        buildID: [1, 2, 3, 4])
      builder.mmap2("[uprobes]", start: trampoline, length: 0x1000, offset: 0, time: 1_200)
    } else {
      builder.mmap("/bin/program", start: base, length: 0x1000, offset: 0x4000, time: 1_100)
      builder.mmap("[uprobes]", start: trampoline, length: 0x1000, offset: 0, time: 1_200)
    }
    return builder
  }

  static func enter(
    _ builder: inout PerfDataBuilder, _ name: String, _ address: UInt64, lr: UInt64, sp: UInt64,
    time: UInt64, cpu: UInt32 = 0
  ) {
    builder.sample(
      name, time: time, cpu: cpu, ip: address, function: address,
      registers: builder.hasRegisters ? registers(lr: lr, sp: sp, pc: address) : [],
      stack: builder.hasStack ? [sp, sp + 8] : [])
  }

  static func leave(
    _ builder: inout PerfDataBuilder, _ name: String, _ address: UInt64, to target: UInt64,
    sp: UInt64, time: UInt64, cpu: UInt32 = 0
  ) {
    builder.sample(
      name + "__return", time: time, cpu: cpu, ip: target, function: address,
      registers: builder.hasRegisters ? registers(lr: trampoline, sp: sp, pc: target) : [],
      stack: builder.hasStack ? [sp] : [])
  }

  /// The whole run, in order.
  static func run(_ builder: inout PerfDataBuilder, cpu: UInt32 = 0, from time: UInt64 = 2_000) {
    enter(&builder, "outer", outer, lr: main, sp: 0x9000, time: time, cpu: cpu)
    enter(&builder, "inner", inner, lr: inOuter, sp: 0x8000, time: time + 100, cpu: cpu)
    enter(&builder, "last", last, lr: trampoline, sp: 0x8000, time: time + 200, cpu: cpu)
    leave(&builder, "last", last, to: inOuter, sp: 0x8000, time: time + 300, cpu: cpu)
    leave(&builder, "inner", inner, to: inOuter, sp: 0x8000, time: time + 400, cpu: cpu)
    leave(&builder, "outer", outer, to: main, sp: 0x9000, time: time + 500, cpu: cpu)
  }
}
