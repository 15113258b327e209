public import ProbeEvents

/// Finds the names of the functions that frames lie in, in the files here.
public final class StackNaming {
  /// Files that could not be used and why.
  public var notes: [String] { store.notes }

  private let store: ImageStore
  private var namer = FrameNamer()

  /// For stacks recorded on this kernel.
  public init(kernel: KernelFacts, search: ImageSearch) {
    store = ImageStore(search: search, kernel: kernel)
  }

  /// The names for the frames that were added to a table since the last call; for another table, for
  /// all of its frames that had none yet.
  public func newNames(in table: StackTable) -> [StackSymbol] { namer.name(table, store) }
}
