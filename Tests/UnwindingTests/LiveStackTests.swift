import Testing

/// All tests that record on the live kernel, one after the other: a process makes one recording at a
/// time.
@Suite(.serialized, .enabled(if: LiveStacks.canRecord, "this host cannot record (reason above)"))
struct LiveStackTests {}
