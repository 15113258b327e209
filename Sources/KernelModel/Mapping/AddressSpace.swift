public import ProbeEvents

/// A mapping of a process.
///
/// Kernel: include/linux/mm_types.h `struct vm_area_struct`
public struct Mapping: Sendable, Hashable {
  /// First address.
  public var start: Address
  /// The address after the last one.
  public var end: Address
  /// The file; nil for anonymous memory.
  public var inode: UInt64?
  /// Offset of the first address in the file.
  public var fileOffset: UInt64
  /// Whether it can be written (`VM_WRITE`).
  public var isWritable: Bool
  /// Whether it may be executed (`VM_MAYEXEC`).
  public var mayExecute: Bool
  /// Whether writes go to the file (`VM_SHARED`).
  public var isShared: Bool
  /// Whether it could be made so that they do (`VM_MAYSHARE`).
  public var mayShare: Bool
  /// Whether it is made of huge pages (`VM_HUGETLB`).
  public var isHuge: Bool

  /// A mapping; by default a private executable one.
  public init(
    start: Address, end: Address, inode: UInt64?, fileOffset: UInt64 = 0, isWritable: Bool = false,
    mayExecute: Bool = true, isShared: Bool = false, mayShare: Bool = false, isHuge: Bool = false
  ) {
    self.start = start
    self.end = end
    self.inode = inode
    self.fileOffset = fileOffset
    self.isWritable = isWritable
    self.mayExecute = mayExecute
    self.isShared = isShared
    self.mayShare = mayShare
    self.isHuge = isHuge
  }

  /// Whether an address is in it.
  public func contains(_ address: Address) -> Bool { start <= address && address < end }

  /// Whether breakpoints may be placed in it, or taken out of it: removal is not put off by a
  /// mapping that has become writable since.
  ///
  /// Kernel: kernel/events/uprobes.c valid_vma()
  func isValid(registering: Bool) -> Bool {
    inode != nil && mayExecute && !isHuge && !mayShare && !(registering && isWritable)
  }

  /// Where an offset of the file is mapped; nil when it is not.
  ///
  /// Kernel: kernel/events/uprobes.c offset_to_vaddr()
  func address(of offset: UInt64) -> Address? {
    guard offset >= fileOffset, offset - fileOffset < end &- start, start < end else { return nil }
    return start &+ (offset - fileOffset)
  }

  /// The offset of the file that is mapped at an address inside.
  ///
  /// Kernel: kernel/events/uprobes.c vaddr_to_offset()
  func offset(of address: Address) -> UInt64 { fileOffset &+ (address &- start) }
}

/// What is at a place where a probe may be.
public enum SiteContents: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
  /// What the file has there.
  case original
  /// The breakpoint instruction, whoever wrote it.
  case breakpoint
  /// The call of an optimised site.
  case optimizedCall
  /// A page of zeroes that is shared with everybody.
  case zeroPage
  /// A page that cannot be had.
  case unreadable
}

/// A process's memory as probes see it.
///
/// Kernel: include/linux/mm_types.h `struct mm_struct`, with its `uprobes_state` and flags
public struct AddressSpace: Sendable {
  /// Its mappings, in no order.
  public var mappings: [Mapping] = []
  /// What is at places that differ from their file.
  public var sites: [Address: SiteContents] = [:]
  /// Reference counters, 0 where nothing is listed.
  public var counters: [Address: Int16] = [:]
  /// Whether there may be breakpoints (`MMF_HAS_UPROBES`).
  public internal(set) var hasUprobes = false
  /// Whether that should be looked into again (`MMF_RECALC_UPROBES`).
  public internal(set) var recalculates = false
  /// The page for copies of instructions; nil until somebody needs it.
  public internal(set) var xolArea: XOLArea?
  /// Where the page would be put; nil when there is no room for it.
  public var xolPlace: Address?
  /// Where a page of the trampoline for optimised sites is or would be; nil when there is no room
  /// in reach.
  public var optimizedTrampolinePlace: Address?
  /// Whether that page is there.
  public internal(set) var hasOptimizedTrampoline = false
  /// Whether its tasks run in 32-bit mode.
  public var isCompat: Bool
  /// Whether its last user is gone.
  public internal(set) var isDying = false

  /// Memory without mappings.
  public init(xolPlace: Address? = 0x7fff_ffff_e000, isCompat: Bool = false) {
    self.xolPlace = xolPlace
    self.isCompat = isCompat
  }

  /// What is at an address.
  public func contents(at address: Address) -> SiteContents { sites[address] ?? .original }

  /// The mapping that an address is in.
  func mapping(at address: Address) -> Mapping? { mappings.first { $0.contains(address) } }
}
