/// Our own C that stands for the kernel around the extracted functions. The files lie in
/// `KernelSource/StandIns` and are compiled into the program.
enum StandIns {
  /// `probe_handler.h`, the interface itself.
  static let interface = PackageResources.probe_handler_h
  /// Facts that must equal the kernel's.
  static let duplicated = PackageResources.duplicated_h
  /// Changed so that the host supplies causes and sees effects.
  static let deliberate = PackageResources.deliberate_h
  /// Empty.
  static let stubs = PackageResources.stubs_h
  /// Drives the extracted functions.
  static let runtime = PackageResources.runtime_h

  /// What the stand-ins define: such names are never taken from a tree.
  static func names(defined: Set<String>) -> Set<String> {
    var names: Set<String> = []
    for text in [duplicated, deliberate, stubs] {
      let source = CSource(path: "", text: text, defined: defined)
      for item in CItemScanner.items(source) { names.formUnion(item.names) }
    }
    return names
  }
}
