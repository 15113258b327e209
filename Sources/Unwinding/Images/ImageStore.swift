import ProbeEvents
import Recorder

/// The files of a tape that were looked for, each read once.
final class ImageStore {
  /// Files read at most: a tape that names more has frames without unwind information.
  static let imageLimit = 4096

  private let search: ImageSearch
  private let architecture: Architecture
  private let kernel: KernelFacts
  private var images: [StackFile: UnwindImage?] = [:]
  /// What could not be used and why, once for each file.
  private(set) var notes: [String] = []

  init(search: ImageSearch, kernel: KernelFacts) {
    self.search = search
    self.kernel = kernel
    architecture = kernel.architecture
  }

  /// The file, read when first asked for; nil when it was not found or is no use.
  func image(of file: StackFile) -> UnwindImage? {
    if let known = images[file] { return known }
    guard images.count < Self.imageLimit else { return nil }
    let image = load(file)
    images[file] = image
    return image
  }

  private func load(_ file: StackFile) -> UnwindImage? {
    if file.path == VirtualLibrary.name { return VirtualLibrary.image(file, kernel) }
    guard file.path.hasPrefix("/") else { return nil }
    var mismatched: [String] = []
    guard let path = search.find(file, mismatched: &mismatched) else {
      let what = mismatched.isEmpty ? "not found" : "of another build than on the tape"
      notes.append("\(file.path): \(what)" + describe(file.buildID))
      return nil
    }
    do {
      let image = try UnwindImage(path: path, debugRoots: search.debugRoots)
      guard image.architecture == architecture else {
        notes.append("\(path): not for \(architecture.name)")
        return nil
      }
      return image
    } catch {
      notes.append("\(path): \(error)")
      return nil
    }
  }

  private func describe(_ buildID: [UInt8]) -> String {
    buildID.isEmpty ? "" : " (build id \(hexadecimal(buildID)))"
  }
}
