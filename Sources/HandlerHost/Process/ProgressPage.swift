import Glibc
public import SystemPackage

/// A page that a judge and its supervisor share: which tape and which hit the judge is at.
///
/// The judge stores two words per hit, so that even the hit that kills it is known; nobody waits for
/// anybody.
@safe public struct ProgressPage: @unchecked Sendable {
  /// The page's file, to be inherited by the judge.
  public let descriptor: Int32
  // One page, mapped in `init` and never unmapped: it lives as long as the judge does.
  private let words: UnsafeMutablePointer<UInt64>

  private static let length = 4096

  /// Makes a page, backed by a file without a name.
  public init() throws(Errno) {
    let (descriptor, path) = try TemporaryFile.open("probetape")
    _ = unsafe unlink(path)
    guard ftruncate(descriptor, off_t(Self.length)) == 0 else {
      let error = errno
      Glibc.close(descriptor)
      throw Errno(rawValue: error)
    }
    try self.init(inherited: descriptor)
  }

  /// Maps a page that the supervisor made.
  public init(inherited descriptor: Int32) throws(Errno) {
    let mapped = unsafe mmap(
      nil, Self.length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      throw Errno(rawValue: errno)
    }
    self.descriptor = descriptor
    unsafe words = mapped.bindMemory(to: UInt64.self, capacity: Self.length / 8)
  }

  /// The tape being replayed, as a place in the judge's list. Two words of the page are used.
  public var tape: UInt64 {
    get { unsafe words[0] }
    nonmutating set { unsafe words[0] = newValue }
  }

  /// The hit being judged.
  public var hit: UInt64 {
    get { unsafe words[1] }
    nonmutating set { unsafe words[1] = newValue }
  }

  /// Gives the page back.
  public func close() {
    _ = unsafe munmap(words, Self.length)
    Glibc.close(descriptor)
  }
}
