import CDwfl
import Glibc
import ProbeEvents

/// libdw's view of one address space: the modules reported to it so far.
@safe final class LibdwSession {
  private let session: OpaquePointer?
  private let callbacks: UnsafeMutablePointer<Dwfl_Callbacks>
  private let threadCallbacks: UnsafeMutablePointer<Dwfl_Thread_Callbacks>
  /// Starts of the mappings whose files are reported.
  private var reported: Set<Address> = []
  private var isAttached = false
  fileprivate var walk = Walk()

  /// The stack being unwound.
  fileprivate struct Walk {
    var memory: HitMemory?
    var images: SpaceImages?
    var frames: [RawFrame] = []
    var stackPointer: Address = 0
    var ending: StackEnding?
    /// A frame of a file that libdw was not told of yet.
    var missing: Address?
  }

  init() {
    unsafe callbacks = .allocate(capacity: 1)
    unsafe callbacks.initialize(to: Dwfl_Callbacks())
    unsafe callbacks.pointee.find_elf = { _, _, _, _, _, _ in -1 }
    // Separate debug files add nothing: unwind tables are in the mapped file.
    unsafe callbacks.pointee.find_debuginfo = { _, _, _, _, _, _, _, _ in -1 }
    unsafe callbacks.pointee.section_address = dwfl_offline_section_address
    unsafe threadCallbacks = .allocate(capacity: 1)
    unsafe threadCallbacks.initialize(to: LibdwCallbacks.make())
    // The callbacks live as long as the session.
    unsafe session = dwfl_begin(callbacks)
  }

  deinit {
    // The session goes before what it refers to; all was made by `init`.
    if let session = unsafe session { unsafe dwfl_end(session) }
    unsafe callbacks.deallocate()
    unsafe threadCallbacks.deallocate()
  }

  func unwind(
    _ memory: HitMemory, _ images: SpaceImages, isEntry: Bool, into frames: inout [RawFrame]
  ) -> StackEnding {
    let layout = memory.layout
    let first = memory.register(layout.instructionPointer)
    guard report(first, images) else {
      frames.append(RawFrame(address: first, isExact: true))
      return .noFile
    }
    // Each round knows one more file: a stack passes through few.
    for _ in 0..<StackLimit.frames {
      memory.begin()
      walk = Walk(memory: memory, images: images, stackPointer: memory.stackPointer)
      let ending = run()
      guard let missing = walk.missing, !isReported(missing, images),
        report(missing, images)
      else {
        frames = walk.frames
        walk = Walk()
        return ending
      }
    }
    return .frameLimit
  }

  private func run() -> StackEnding {
    guard let session = unsafe session, attach() else { return .noUnwindInformation }
    // The object outlives the call, which is the only user of the pointer.
    let argument = unsafe Unmanaged.passUnretained(self).toOpaque()
    let result = unsafe dwfl_getthread_frames(session, 1, LibdwCallbacks.frame, argument)
    if let ending = walk.ending { return ending }
    if result == 0 { return .complete }
    if walk.memory?.ranOut == true { return .windowEnd }
    return walk.missing == nil ? .noUnwindInformation : .noFile
  }

  fileprivate func isReported(_ address: Address, _ images: SpaceImages) -> Bool {
    images.map.area(at: address).map { reported.contains($0.start) } ?? false
  }

  /// Tells libdw of the file at an address; false when there is none.
  private func report(_ address: Address, _ images: SpaceImages) -> Bool {
    guard let session = unsafe session, let mapped = images.mapped(at: address) else {
      return false
    }
    guard reported.insert(mapped.area.start).inserted else { return true }
    // Both strings are read during the call; libdw opens and holds the file itself.
    unsafe dwfl_report_begin_add(session)
    let module = unsafe dwfl_report_elf(
      session, mapped.area.file.path + "@" + String(mapped.area.start, radix: 16),
      mapped.image.path, -1, mapped.bias, true)
    let isReported = unsafe module != nil
    return unsafe dwfl_report_end(session, nil, nil) == 0 && isReported
  }

  private func attach() -> Bool {
    if isAttached { return true }
    guard let session = unsafe session else { return false }
    // The session is attached once; libdw hands the pointer back to the callbacks of this object's
    // own session only.
    isAttached = unsafe dwfl_attach_state(
      session, nil, 1, threadCallbacks, Unmanaged.passUnretained(self).toOpaque())
    return isAttached
  }
}

/// What libdw calls back.
private enum LibdwCallbacks {
  private static func session(_ argument: UnsafeMutableRawPointer?) -> LibdwSession? {
    // The pointer that the session passed; it is alive while libdw works for it.
    guard let argument = unsafe argument else { return nil }
    return unsafe Unmanaged<LibdwSession>.fromOpaque(argument).takeUnretainedValue()
  }

  static func make() -> Dwfl_Thread_Callbacks {
    var callbacks = Dwfl_Thread_Callbacks()
    unsafe callbacks.next_thread = { _, argument, thread in
      // libdw asks again from the thread it was given; there is one.
      guard let slot = unsafe thread, unsafe slot.pointee == nil else { return 0 }
      unsafe slot.pointee = argument
      return 1
    }
    unsafe callbacks.get_thread = { _, _, argument, thread in
      // libdw's own variable.
      unsafe thread?.pointee = argument
      return true
    }
    unsafe callbacks.memory_read = { _, address, word, argument in
      guard let word = unsafe word, let session = unsafe LibdwCallbacks.session(argument),
        let value = session.word(at: address)
      else { return false }
      // libdw's own variable.
      unsafe word.pointee = value
      return true
    }
    unsafe callbacks.set_initial_registers = { thread, argument in
      guard let thread = unsafe thread, let session = unsafe LibdwCallbacks.session(argument)
      else { return false }
      return unsafe session.setRegisters(thread)
    }
    return callbacks
  }

  static let frame: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = {
    state, argument in
    var address: Dwarf_Addr = 0
    var isActivation = false
    // `state` is valid during the call; both variables are ours.
    guard let state = unsafe state, let session = unsafe LibdwCallbacks.session(argument),
      unsafe dwfl_frame_pc(state, &address, &isActivation)
    else { return Int32(DWARF_CB_ABORT) }
    return session.add(address, isExact: isActivation) ? Int32(DWARF_CB_OK) : Int32(DWARF_CB_ABORT)
  }
}

extension LibdwSession {
  /// A stack word for libdw.
  fileprivate func word(at address: Address) -> UInt64? {
    guard let memory = walk.memory, memory.countAccess() else { return nil }
    return memory.stackWord(at: address)
  }

  /// The registers that a call preserves; the others say nothing about callers.
  fileprivate func setRegisters(_ thread: OpaquePointer) -> Bool {
    guard let memory = walk.memory else { return false }
    let layout = memory.layout
    // The values are read during each call; libdw checks the numbers.
    unsafe dwfl_thread_state_register_pc(thread, memory.register(layout.instructionPointer))
    for (number, column) in Self.preserved(layout) {
      var value = memory.register(column)
      guard unsafe dwfl_thread_state_registers(thread, number, 1, &value) else { return false }
    }
    return true
  }

  /// DWARF's numbers with the columns.
  private static func preserved(_ layout: RegisterLayout) -> [(Int32, Int)] {
    layout.linkRegister == nil
      ? [(3, 1), (6, 6), (7, 7), (12, 16), (13, 17), (14, 18), (15, 19), (16, 8)]
      : (19...31).map { (Int32($0), $0) }
  }

  /// Takes a frame; false when it is the last one wanted.
  fileprivate func add(_ address: Address, isExact: Bool) -> Bool {
    guard let images = walk.images else { return false }
    let isFirst = walk.frames.isEmpty
    guard address != 0 else {
      walk.ending = .complete
      return false
    }
    guard walk.frames.count < StackLimit.frames else {
      walk.ending = .frameLimit
      return false
    }
    let area = images.map.area(at: address)
    guard isFirst || area?.isTrampoline == false else {
      walk.ending =
        area == nil
        ? (walk.memory?.ranOut == true ? .windowEnd : .noUnwindInformation) : .unknownTrampoline
      return false
    }
    walk.frames.append(RawFrame(address: address, isExact: isExact))
    walk.missing = isReported(address, images) ? nil : address
    return true
  }

}
