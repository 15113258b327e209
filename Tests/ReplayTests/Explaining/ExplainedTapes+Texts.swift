import Replay

extension ExplainedTapes {
  /// What must be said of each, word for word. The numbers are those of the tapes.
  static let texts: [DivergenceClass: String] = [
    .unexpectedReturn: """
    why: the instance for f pushed at hit 0 was dropped at hit 1 because g was entered on a \
    stack above it, so nothing was left to return at hit 3
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler           tape
      f (hit 0)  0x7000  dropped at hit 1  returns here
    led there:
      hit 0: f was entered with sp 0x7000, pushed
      hit 1: the instance for f was dropped because g was entered on a stack above it
    """,
    .missingReturn: """
    why: the instance for f pushed at hit 0 returns in one chain with the call that returned \
    before, but instead came an entry of x
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler       tape
      x (hit 3)  0x7000  entered here  return address 0x400040
      f (hit 0)  0x7000  held          slot not seen again
    led there:
      hit 0: f was entered with sp 0x7000, pushed
      hit 1: t was entered with sp 0x7000, chained to the instance before it
      hit 2: t returned
    """,
    .wrongReturn: """
    why: the kernel returned outer, pushed at hit 0, but the handler still held 2 newer \
    instances than that, the newest for d pushed at hit 2
    rules: model:4.2 (E2, kernels 3.13 - 4.2)
      call           slot    handler      tape
      d (hit 2)      0x7080  popped here  slot not seen again
      c (hit 1)      0x70c0  held         slot not seen again
      outer (hit 0)  0x7100  held         returns here
    led there:
      hit 0: outer was entered with sp 0x7100, pushed
      hit 1: c was entered with sp 0x70c0, pushed
      hit 2: d was entered with sp 0x7080, pushed
    """,
    .wrongReturnAddress: """
    why: f was entered at hit 0 to return to 0x400010, but returned to 0x400011 at hit 1
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler      tape
      f (hit 0)  0x7000  popped here  returns here
    led there:
      hit 0: f was entered with sp 0x7000, pushed
    """,
    .chainMismatch: """
    why: e was entered at hit 1 and the return address is the trampoline already, but the \
    handler has no instance in its slot 0x6f00; its newest is the one for f pushed at hit 0
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler       tape
      e (hit 1)  0x6f00  entered here  return address trampoline
      f (hit 0)  0x7000  held          slot not seen again
    led there:
      hit 0: f was entered with sp 0x7000, pushed
    """,
    .strayTrampolineWord: """
    why: there should be no trampoline at 0x7010, as the handler made no instance for the call \
    that was entered with that stack pointer; but the stack word there is the trampoline \
    0x7fffffffe000
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler       tape
      f (hit 1)  0x7000  entered here  return address 0x400010
    """,
    .witnessMismatch: """
    why: the kernel's own list, read at hit 1, has stack: 0x7018 in instance 1 of 1 (oldest \
    first), where the handler's instances have stack: 0x7010; its newest is the one for f pushed \
    at hit 0
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler  tape
      f (hit 0)  0x7010  held     slot not seen again
    led there:
      hit 0: f was entered with sp 0x7010, pushed
    """,
    .wrongStep: """
    why: at hit 1, the entry of p_push_cx, the probed instruction before must have led to \
    cx=0x55841e575e08 behind p_push_ax (hit 0), but the tape has cx=0x55841e575e48
    rules: model of the tape's kernel 6.18.44-fc-v782 (E8, kernels 6.18 - 7.1)
      call               slot            handler       tape
      p_push_cx (hit 1)  0x7ffdaeba1be8  entered here  return address 0x10
    """,
    .lostTrampolineWord: """
    why: the slot 0x7010 of f, pushed at hit 0, held 0x1234 at hit 2 and no longer the \
    trampoline, so nothing can have returned through it at hit 3
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler      tape
      f (hit 0)  0x7010  popped here  returns here, after 0x1234 at hit 2
    led there:
      hit 0: f was entered with sp 0x7010, pushed
    """,
    .unexpectedSignal: """
    why: the kernel found no instance at the trampoline, but the handler still held 1, the \
    newest for co pushed at hit 0
    rules: model:4.2 (E2, kernels 3.13 - 4.2)
      call        slot    handler  tape
      co (hit 0)  0x5000  held     slot not seen again
    led there:
      hit 0: co was entered with sp 0x5000, pushed
    """,
    .wrongSignal: """
    why: no instance was left at the trampoline, the last one, for f, being gone since hit 1; \
    the handler demands signal 4, the kernel sent signal 5
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler            tape
      f (hit 0)  0x7000  returned at hit 1  slot not seen again
    led there:
      hit 0: f was entered with sp 0x7000, pushed
      hit 1: f returned
    """,
    .wrongExit: """
    why: the program has no handler for the signal it got at the trampoline, so the handler \
    demands the target to die of signal 4, but the target ended otherwise: exited(0)
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call        slot    handler            tape
      x (hit 1)   0x7000  returned at hit 2  slot not seen again
      co (hit 0)  0x5000  dropped at hit 1   slot not seen again
    led there:
      hit 0: co was entered with sp 0x5000, pushed
      hit 1: x was entered with sp 0x7000, pushed
      hit 1: the instance for co was dropped because x was entered on a stack above it
      hit 2: x returned
    """,
    .wrongMemory: """
    why: at hit 1, the entry of g, the handler did what no kernel does, holding an instance \
    for f pushed at hit 0: it owed a thing, and there was another
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler       tape
      g (hit 1)  0x6fc0  entered here  return address 0x400020
      f (hit 0)  0x7000  held          slot not seen again
    led there:
      hit 0: f was entered with sp 0x7000, pushed
    """,
    .handlerFaulted: """
    why: at hit 1, the entry of g, the handler did what no kernel does, holding an instance \
    for f pushed at hit 0: it owed a thing, and there was another
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler       tape
      g (hit 1)  0x6fc0  entered here  return address 0x400020
      f (hit 0)  0x7000  held          slot not seen again
    led there:
      hit 0: f was entered with sp 0x7000, pushed
    """,
    .handlerCrashed: """
    why: at hit 1, the entry of g, the handler did not come back, where the model holds an \
    instance for f pushed at hit 0: another
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler       tape
      g (hit 1)  0x6fc0  entered here  return address 0x400020
      f (hit 0)  0x7000  held          slot not seen again
    led there:
      hit 0: f was entered with sp 0x7000, pushed
    """,
    .handlerTimedOut: """
    why: at hit 1, the entry of g, the handler did not come back, where the model holds an \
    instance for f pushed at hit 0: another
    rules: model of the tape's kernel 6.18.0 (E8, kernels 6.18 - 7.1)
      call       slot    handler       tape
      g (hit 1)  0x6fc0  entered here  return address 0x400020
      f (hit 0)  0x7000  held          slot not seen again
    led there:
      hit 0: f was entered with sp 0x7000, pushed
    """,
  ]
}
