import KernelModel
import ProbeEvents
import Testing

@Suite("Debug exceptions on arm64")
struct ARMDebugDispatchTests {
  let fork = KprobeFixture.fork

  func registers(_ address: Address, isUser: Bool) -> KprobeRegisters {
    KprobeRegisters(instructionPointer: address, isUser: isUser)
  }

  @Test("every exception class leads where the entry code sends it, from both modes")
  func entries() {
    let user: [UInt32: ARMDebugException.Event] = [
      0x30: .hardwareBreakpoint, 0x32: .step, 0x34: .watchpoint, 0x38: .breakpointInstruction32,
      0x3a: .vectorCatch32, 0x3c: .breakpointInstruction,
    ]
    let kernel: [UInt32: ARMDebugException.Event] = [
      0x31: .hardwareBreakpoint, 0x33: .step, 0x35: .watchpoint, 0x3c: .breakpointInstruction,
    ]
    for exceptionClass in 0..<64 as Range<UInt32> {
      for isUser in [true, false] {
        let exception = ARMDebugException(
          syndrome: exceptionClass << 26, registers: registers(fork, isUser: isUser))
        let event = (isUser ? user : kernel)[exceptionClass]
        let expected: ARMDebugException.Entry =
          if let event {
            .event(event)
          } else if !isUser && user[exceptionClass] != nil {
            .invalid
          } else {
            .other
          }
        #expect(exception.entry == expected, "\(exceptionClass) \(isUser)")
        // The number of the event is in the same bits.
        if let event {
          #expect(UInt32(event.rawValue) == exceptionClass >> 1 & 7)
        }
      }
    }
  }

  @Test("events that are not kprobes' have handlers of their own, or none")
  func others() {
    var fixture = KprobeFixture(.k10, .aarch64)
    var breakpoints = ARMSuspendedBreakpoints()
    for (exceptionClass, isUser, expected) in [
      (0x30, true, .hardware), (0x35, false, .hardware),
      (0x38, true, .unhandled(.breakpointInstruction32)), (0x3a, true, .unhandled(.vectorCatch32)),
      (0x30, false, .invalid), (0x15, true, .other),
    ] as [(UInt32, Bool, ARMDebugConclusion)] {
      let conclusion = fixture.kernel.debugException(
        ARMDebugException(
          syndrome: exceptionClass << 26, registers: registers(fork, isUser: isUser)),
        hooks: ARMDebugHooks(), breakpoints: &breakpoints, on: &fixture.processor)
      #expect(conclusion == expected)
    }
  }

  @Test(
    "a BRK instruction goes to kprobes, else to a hook, else kills", arguments: KprobeEpoch.allCases
  )
  func breakpointInstruction(epoch: KprobeEpoch) throws {
    for isUser in [true, false] {
      for immediate in [4, 6, 5, 0x800] as [UInt16] {
        for hook in [nil, true, false] as [Bool?] {
          for hasProbe in [true, false] {
            var fixture = KprobeFixture(epoch, .aarch64)
            if hasProbe { _ = try fixture.probe(fork) }
            var hooks = ARMDebugHooks()
            if let hook {
              hooks.userBreak = [ARMDebugHooks.Break(immediate, takes: hook)]
              hooks.kernelBreak = hooks.userBreak
            }
            var breakpoints = ARMSuspendedBreakpoints()
            let conclusion = fixture.kernel.debugException(
              .breakpoint(immediate, registers(fork, isUser: isUser)), hooks: hooks,
              breakpoints: &breakpoints, on: &fixture.processor)

            let isTaken = immediate == 4 && (!isUser || epoch < .k3)
            if isTaken && (hasProbe || epoch < .k12) {
              guard case .kprobe(let outcome) = conclusion else {
                Issue.record("\(epoch) \(conclusion)")
                continue
              }
              #expect((outcome.called != nil) == hasProbe)
            } else if hook == true {
              #expect(conclusion == .hook(0))
            } else if isUser {
              #expect(conclusion == .trapSignal(code: 1, isSteppedAgain: false))
            } else {
              #expect(conclusion == .unexpectedBreakpoint)
            }
          }
        }
      }
    }
  }

  @Test("of the hooks that match an immediate, the one registered first is asked, and no other")
  func hookOrder() {
    var hooks = ARMDebugHooks()
    hooks.kernelBreak = [
      ARMDebugHooks.Break(0x800), ARMDebugHooks.Break(0x900, mask: 0xff, takes: false),
      ARMDebugHooks.Break(0x910), ARMDebugHooks.Break(0x800, takes: false),
    ]
    var fixture = KprobeFixture(.k10, .aarch64)
    var breakpoints = ARMSuspendedBreakpoints()
    for (immediate, expected) in [
      (0x800, .hook(0)), (0x910, .unexpectedBreakpoint), (0x9ff, .unexpectedBreakpoint),
      (0xa00, .unexpectedBreakpoint),
    ] as [(UInt16, ARMDebugConclusion)] {
      let conclusion = fixture.kernel.debugException(
        .breakpoint(immediate, registers(fork, isUser: false)), hooks: hooks,
        breakpoints: &breakpoints, on: &fixture.processor)
      #expect(conclusion == expected)
    }
  }

  @Test("the breakpoint behind a copy ends a step since 5.10", arguments: KprobeEpoch.allCases)
  func breakpointBehindCopy(epoch: KprobeEpoch) throws {
    var fixture = KprobeFixture(epoch, .aarch64)
    _ = try fixture.probe(fork, [])
    var breakpoints = ARMSuspendedBreakpoints()
    let start = fixture.kernel.debugException(
      .breakpoint(4, registers(fork, isUser: false)), hooks: ARMDebugHooks(),
      breakpoints: &breakpoints, on: &fixture.processor)
    guard case .kprobe(.resume(var stepping)) = start else {
      Issue.record("\(start)")
      return
    }
    stepping.instructionPointer += 4
    let byBreak = fixture.kernel.debugException(
      .breakpoint(6, stepping), hooks: ARMDebugHooks(), breakpoints: &breakpoints,
      on: &fixture.processor)
    guard epoch < .k6 else {
      guard case .kprobe(.resume(let end)) = byBreak else {
        Issue.record("\(byBreak)")
        return
      }
      #expect(end.instructionPointer == fork + 4)
      return
    }
    #expect(byBreak == .unexpectedBreakpoint)
    let byStep = fixture.kernel.debugException(
      .step(stepping), hooks: ARMDebugHooks(), breakpoints: &breakpoints, on: &fixture.processor)
    guard case .kprobe(.resume(let end)) = byStep else {
      Issue.record("\(byStep)")
      return
    }
    #expect(end.instructionPointer == fork + 4)
  }

  @Test(
    "a step belongs to suspended breakpoints, then to hooks, then it is unexpected",
    arguments: KprobeEpoch.allCases)
  func step(epoch: KprobeEpoch) {
    for isUser in [true, false] {
      for suspended in [true, false] {
        for hook in [true, false] {
          for isTaskStepped in [true, false] {
            var fixture = KprobeFixture(epoch, .aarch64)
            var hooks = ARMDebugHooks()
            hooks.userStep = [false, hook]
            hooks.kernelStep = [false, hook]
            var breakpoints = ARMSuspendedBreakpoints()
            breakpoints.isTaskStepped = isTaskStepped
            if suspended {
              breakpoints.areBreakpointsOff = true
              breakpoints.kernelStep = .active
            }
            let conclusion = fixture.kernel.debugException(
              .step(registers(fork, isUser: isUser)), hooks: hooks, breakpoints: &breakpoints,
              on: &fixture.processor)
            let expected: ARMDebugConclusion
            if suspended {
              expected = .breakpointsActive
            } else if hook {
              expected = .hook(1)
            } else if isUser {
              expected = .trapSignal(code: 2, isSteppedAgain: isTaskStepped)
            } else {
              var again = registers(fork, isUser: false)
              again.flags = 0x20_0000
              expected = .unexpectedStep(again)
            }
            #expect(conclusion == expected)
          }
        }
      }
    }
  }

  @Test("suspended breakpoints of the task and the kernel, over all combinations")
  func suspended() {
    for bits in 0..<32 {
      for kernelStep in ARMSuspendedBreakpoints.KernelStep.allCases {
        var state = ARMSuspendedBreakpoints()
        state.areBreakpointsOff = bits & 1 != 0
        state.areWatchpointsOff = bits & 2 != 0
        state.isDebuggerStepping = bits & 4 != 0
        state.isTaskStepped = bits & 8 != 0
        state.kernelStep = kernelStep
        let isUser = bits & 16 != 0
        let before = state
        var fixture = KprobeFixture(.k10, .aarch64)
        let conclusion = fixture.kernel.debugException(
          .step(registers(fork, isUser: isUser)), hooks: ARMDebugHooks(), breakpoints: &state,
          on: &fixture.processor)
        var expected = before
        var isOver = false
        if isUser && bits & 3 != 0 {
          expected.areBreakpointsOff = false
          expected.areWatchpointsOff = false
          if before.isDebuggerStepping {
            expected.isDebuggerStepping = false
          } else {
            expected.isTaskStepped = false
            isOver = true
          }
        } else if !isUser {
          expected.kernelStep = .none
          isOver = kernelStep == .active
        }
        #expect(state == expected)
        #expect((conclusion == .breakpointsActive) == isOver)
      }
    }
  }

  @Test("a pending step of a kprobe goes to suspended breakpoints first")
  func suspendedBeforeKprobe() throws {
    var fixture = KprobeFixture(.k1, .aarch64)
    _ = try fixture.probe(fork, [])
    var stepping = try #require(fixture.hit(fork).resumed)
    stepping.instructionPointer += 4
    var breakpoints = ARMSuspendedBreakpoints()
    breakpoints.kernelStep = .active
    var hooks = ARMDebugHooks()
    hooks.kernelStep = [true]
    let first = fixture.kernel.debugException(
      .step(stepping), hooks: hooks, breakpoints: &breakpoints, on: &fixture.processor)
    #expect(first == .breakpointsActive)
    let second = fixture.kernel.debugException(
      .step(stepping), hooks: hooks, breakpoints: &breakpoints, on: &fixture.processor)
    guard case .kprobe(.resume) = second else {
      Issue.record("\(second)")
      return
    }
  }
}
