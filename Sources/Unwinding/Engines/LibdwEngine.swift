import CDwfl
import Glibc
import ProbeEvents

/// Unwinds with libdw of elfutils, which knows all architectures: for tapes of another one than this
/// program runs on.
@safe final class LibdwEngine: StackEngine {
  private var spaces = RecentSpaces<LibdwSession>()

  func unwind(
    _ memory: HitMemory, _ images: SpaceImages, number: UInt32, isEntry: Bool,
    into frames: inout [RawFrame]
  ) -> StackEnding {
    let session = spaces.value(number) {
      LibdwSession()
    } drop: { _ in
    }
    return session.unwind(memory, images, isEntry: isEntry, into: &frames)
  }
}
