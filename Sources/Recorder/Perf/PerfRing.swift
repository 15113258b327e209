import CPerfEvent
import Glibc

/// One CPU's ring, mapped from the event that owns it.
///
/// Only one thread drains a ring at a time; that is what makes it safe to send.
@safe final class PerfRing: @unchecked Sendable {
  /// The CPU it belongs to.
  let cpu: UInt16
  /// The event that owns it; open at least as long as the ring.
  let descriptor: Int32
  /// Bytes of the data area.
  let dataBytes: Int

  private let base: UnsafeMutableRawPointer
  private let mappedBytes: Int
  private let page: UnsafeMutablePointer<perf_event_mmap_page>
  private let data: UnsafePointer<UInt64>
  private var tail: UInt64 = 0

  /// Maps the ring of an event: one page of control, then `pages` (a power of two) of data.
  init(descriptor: Int32, cpu: UInt16, pages: Int) throws(SystemFailure) {
    let pageBytes = sysconf(Int32(_SC_PAGESIZE))
    mappedBytes = (1 + pages) * pageBytes
    let address = unsafe mmap(
      nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      throw SystemFailure(operation: "map a perf ring", number: errno)
    }
    unsafe base = address
    self.descriptor = descriptor
    self.cpu = cpu
    dataBytes = pages * pageBytes
    // The mapping starts with the control page, and the data area of `dataBytes` follows it; both
    // are page aligned and stay mapped until deinit.
    unsafe page = address.bindMemory(to: perf_event_mmap_page.self, capacity: 1)
    unsafe data = UnsafePointer(
      (address + pageBytes).bindMemory(to: UInt64.self, capacity: dataBytes / 8))
  }

  deinit {
    // Mapped by init with this length, and nobody holds pointers into it.
    _ = unsafe munmap(base, mappedBytes)
  }

  /// Whether there is nothing to drain now.
  var isEmpty: Bool { unsafe cperf_ring_head_acquire(page) == tail }

  /// Moves all whole records to the end of `words`; returns how many bytes.
  ///
  /// The head is loaded with acquire before the data is read, and the tail stored with release
  /// after it was copied, so that the kernel never overwrites what is not copied yet.
  func drain(into words: inout [UInt64]) -> Int {
    let head = unsafe cperf_ring_head_acquire(page)
    let count = Int(head &- tail)
    guard count > 0 else { return 0 }
    let wordCount = dataBytes / 8
    // Records and both ends are multiples of 8, and dataBytes is a power of two.
    let start = Int(tail & UInt64(dataBytes - 1)) / 8
    let first = min(count / 8, wordCount - start)
    // `start + first` and the wrapped rest are within the data area's `wordCount` words.
    unsafe words.append(contentsOf: UnsafeBufferPointer(start: data + start, count: first))
    unsafe words.append(contentsOf: UnsafeBufferPointer(start: data, count: count / 8 - first))
    tail = head
    unsafe cperf_ring_tail_release(page, tail)
    return count
  }
}
