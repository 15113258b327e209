import CProbeHandler
import Glibc

/// A shared library that exports a probe handler, loaded and checked.
///
/// It stays loaded for the rest of the process: a handler may keep threads or exit handlers of its
/// own, and unloading code that still runs is not survivable.
@safe public final class HandlerLibrary: Sendable {
  /// Where it was loaded from.
  public let path: String
  /// The name the library gives itself.
  public let ownName: String
  // Safe to share: the library owns the table and promises that it never changes; the pointer is
  // valid for the rest of the process, as the library is never unloaded.
  nonisolated(unsafe) let table: UnsafePointer<probe_handler>

  /// Loads the library at a path and checks that its table is whole.
  public init(path: String) throws(HandlerLibraryError) {
    // A name without a slash would be looked for in the system's library directories.
    let file = path.contains("/") ? path : "./" + path
    guard let handle = unsafe dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
      let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "no reason given"
      throw .cannotLoad(path: path, reason: reason)
    }
    guard let symbol = unsafe dlsym(handle, PROBE_HANDLER_SYMBOL) else {
      throw .noHandler(path: path)
    }
    // The header fixes the type of the one symbol that a handler library exports.
    typealias Export = @convention(c) () -> UnsafePointer<probe_handler>?
    let export = unsafe unsafeBitCast(symbol, to: Export.self)
    guard let table = unsafe export() else {
      throw .missingFunction(path: path, name: "probe_handler_v1()")
    }
    try unsafe Self.check(table, path)
    self.path = path
    unsafe self.table = table
    ownName = unsafe table.pointee.name.map { unsafe String(cString: $0) } ?? path
  }

  private static func check(
    _ table: UnsafePointer<probe_handler>, _ path: String
  ) throws(HandlerLibraryError) {
    // Version and size come first in every version of the table, so that they can always be read.
    let version = unsafe table.pointee.abi_version
    let expected = UInt32(PROBE_HANDLER_ABI_VERSION)
    guard version == expected else {
      throw .wrongVersion(path: path, found: version, expected: expected)
    }
    let size = unsafe table.pointee.size
    let expectedSize = unsafe UInt32(MemoryLayout<probe_handler>.size)
    guard size == expectedSize else {
      throw .wrongSize(path: path, found: size, expected: expectedSize)
    }
    let functions: [(String, Bool)] = unsafe [
      ("create", table.pointee.create != nil),
      ("destroy", table.pointee.destroy != nil),
      ("task_created", table.pointee.task_created != nil),
      ("entry_hit", table.pointee.entry_hit != nil),
      ("trampoline_hit", table.pointee.trampoline_hit != nil),
      ("task_copied", table.pointee.task_copied != nil),
      ("task_execed", table.pointee.task_execed != nil),
      ("task_exited", table.pointee.task_exited != nil),
    ]
    if let missing = functions.first(where: { !$0.1 }) {
      throw .missingFunction(path: path, name: missing.0)
    }
  }
}
