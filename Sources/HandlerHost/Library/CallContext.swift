import CProbeHandler
import ProbeEvents

/// What the host knows during one call into a handler, and what the handler told it meanwhile. The
/// callbacks reach it through their first argument.
struct CallContext: ~Copyable {
  /// The user memory that is known during the call.
  var memory = UserMemory()
  /// Where the return address lies on the stack, and its size; writes belong there. No bytes where
  /// none does.
  var slot: (address: Address, size: UInt32) = (0, 0)
  /// What the handler wrote into the return slot.
  var slotValue: UInt64?
  /// The first write that was not into the return slot.
  var strayWrite: (address: Address, length: UInt32)?
  /// What the handler set the link register to.
  var linkRegister: UInt64?
  /// Instances taken off the list at a trampoline.
  var popped = PoppedInstances()
  /// More instances than a task can hold.
  var hasTooManyPopped = false
  /// The signal the task gets; 0 for none.
  var signal: Int32 = 0
  /// The first fault the handler reported.
  var fault: String?
  /// The last message for the kernel log.
  var warning: String?

  /// Forgets the last call.
  mutating func begin() {
    slot = (0, 0)
    slotValue = nil
    strayWrite = nil
    linkRegister = nil
    signal = 0
    hasTooManyPopped = false
  }

  /// Notes an instance taken off the list.
  mutating func pop(_ instance: PoppedInstance) {
    if popped.count == PoppedInstances.capacity {
      hasTooManyPopped = true
    } else {
      popped.append(instance)
    }
  }
}

/// The host's side of `probe_handler.h`, for a context that outlives the table.
enum HostCallbacks {
  /// The table that a handler's `create` gets.
  static func table(_ context: UnsafeMutablePointer<CallContext>) -> probe_host {
    unsafe probe_host(
      abi_version: UInt32(PROBE_HANDLER_ABI_VERSION), size: UInt32(MemoryLayout<probe_host>.size),
      context: UnsafeMutableRawPointer(context), read_user: read, write_user: write,
      set_link_register: setLinkRegister, return_handled: returnHandled,
      instance_dropped: instanceDropped, signal: signal, fault: fault, warn: warn)
  }

  // In all callbacks `context` is the pointer given to `table`, which the session keeps allocated
  // until after the handler's `destroy`; calls come one at a time on the session's thread.

  private static let read:
    @convention(c) (UnsafeMutableRawPointer?, UInt64, UnsafeMutableRawPointer?, UInt32) -> Int32 = {
      context, address, target, length in
      guard let call = unsafe context?.assumingMemoryBound(to: CallContext.self),
        let target = unsafe target
      else { return -1 }
      // The handler vouches for `length` bytes at `target`.
      let bytes = unsafe UnsafeMutableRawBufferPointer(start: target, count: Int(length))
      return unsafe call.pointee.memory.read(address, into: bytes) ? 0 : -1
    }

  private static let write:
    @convention(c) (UnsafeMutableRawPointer?, UInt64, UnsafeRawPointer?, UInt32) -> Int32 = {
      context, address, source, length in
      guard let call = unsafe context?.assumingMemoryBound(to: CallContext.self),
        let source = unsafe source
      else { return -1 }
      // The handler vouches for `length` bytes at `source`.
      let bytes = unsafe UnsafeRawBufferPointer(start: source, count: Int(length))
      unsafe call.pointee.memory.write(address, bytes)
      let slot = unsafe call.pointee.slot
      guard address == slot.address, length == slot.size, length <= 8 else {
        if unsafe call.pointee.strayWrite == nil {
          unsafe call.pointee.strayWrite = (address, length)
        }
        return 0
      }
      var value: UInt64 = 0
      // Bounded above: at most 8 bytes into `value`.
      unsafe withUnsafeMutableBytes(of: &value) { unsafe $0.copyMemory(from: bytes) }
      unsafe call.pointee.slotValue = value
      return 0
    }

  private static let setLinkRegister: @convention(c) (UnsafeMutableRawPointer?, UInt64) -> Void = {
    context, value in
    unsafe context?.assumingMemoryBound(to: CallContext.self).pointee.linkRegister = value
  }

  private static let returnHandled:
    @convention(c) (UnsafeMutableRawPointer?, UInt64, UInt64, UInt64) -> Void = {
      context, entry, function, ip in
      unsafe context?.assumingMemoryBound(to: CallContext.self).pointee.pop(
        PoppedInstance(
          entry: entry, function: function, originalReturnAddress: ip, handlersRan: true))
    }

  private static let instanceDropped: @convention(c) (UnsafeMutableRawPointer?, UInt64) -> Void = {
    context, entry in
    unsafe context?.assumingMemoryBound(to: CallContext.self).pointee.pop(
      PoppedInstance(entry: entry, function: 0, originalReturnAddress: 0, handlersRan: false))
  }

  private static let signal: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Void = {
    context, number in
    unsafe context?.assumingMemoryBound(to: CallContext.self).pointee.signal = number
  }

  private static let fault:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void = { context, text in
      guard let call = unsafe context?.assumingMemoryBound(to: CallContext.self),
        unsafe call.pointee.fault == nil
      else { return }
      unsafe call.pointee.fault = unsafe text.map { unsafe String(cString: $0) } ?? "no text"
    }

  private static let warn:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void = { context, text in
      guard let call = unsafe context?.assumingMemoryBound(to: CallContext.self) else { return }
      unsafe call.pointee.warning = unsafe text.map { unsafe String(cString: $0) }
    }
}
