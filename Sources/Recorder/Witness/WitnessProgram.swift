#if Witness
  import CBpf
  import CPerfEvent
  import Glibc
  import HandlerHost
  import ProbeEvents

  /// The BPF program that reads the kernel's list at every hit, loaded into the kernel.
  ///
  /// It is compiled by clang when a recording asks for it, for the running kernel's types.
  final class WitnessProgram {
    private let object: BPFObject
    private var links: [BPFLink] = []
    private let program: Int32
    private let rings: Int32

    /// What the trampoline's tracepoints run.
    private static let trampolinePrograms = ["before_trampoline", "after_trampoline"]

    /// Compiles and loads the program.
    ///
    /// - Throws: ``RecorderError/witness(_:)``, saying what is missing.
    init(architecture: Architecture) throws(RecorderError) {
      guard unsafe access("/sys/kernel/btf/vmlinux", R_OK) == 0 else {
        throw .witness("this kernel has no BTF; use one built with CONFIG_DEBUG_INFO_BTF=y")
      }
      let bytes = try WitnessCompiler.compile(for: architecture)
      // Messages of the library would go to standard error.
      unsafe libbpf_set_print(nil)
      object = try Self.load(bytes, architecture)
      guard let program = object.program("at_hit"), let rings = object.map("rings") else {
        throw Self.refusal(ENOENT)
      }
      self.program = program
      self.rings = rings
    }

    /// Lets the program write through a CPU's event.
    func connect(cpu: Int32, event: Int32) throws(RecorderError) {
      var cpu = cpu
      var event = event
      // Both live for the call, which copies them.
      let result = unsafe bpf_map_update_elem(rings, &cpu, &event, 0)
      guard result >= 0 else {
        throw .system(operation: "give the witness a ring", errno: errno)
      }
    }

    /// Runs the program at every hit of an event's probe.
    func attach(to event: Int32) throws(RecorderError) {
      let result = cperf_set_bpf(event, program)
      guard result >= 0 else {
        throw .system(operation: "attach the witness to a probe", errno: -result)
      }
    }

    /// Runs the programs at the trampoline, where they could be loaded.
    func attachToTrampolines() {
      links = Self.trampolinePrograms.compactMap { object.attach($0) }
    }

    /// Loads what there is for an architecture; without the trampoline's tracepoints where the kernel
    /// does not have them.
    private static func load(
      _ bytes: [UInt8], _ architecture: Architecture
    ) throws(RecorderError) -> BPFObject {
      if architecture == .x86_64, let whole = try? BPFObject(bytes, leavingOut: []) {
        return whole
      }
      do throws(SystemFailure) {
        return try BPFObject(bytes, leavingOut: trampolinePrograms)
      } catch {
        throw refusal(error.number)
      }
    }

    private static func refusal(_ number: Int32) -> RecorderError {
      switch number {
      case EPERM, EACCES:
        .witness("the kernel does not let this user load BPF programs; record as root")
      case ENOSYS:
        .witness("this kernel has no BPF; use one built with CONFIG_BPF_SYSCALL=y")
      default:
        .witness("the kernel refuses the witness's program (\(SystemFailure.text(number)))")
      }
    }
  }
#else
  import ProbeEvents

  /// Stands for the BPF program in a build without libbpf. There is no instance, so that only making
  /// one does anything.
  final class WitnessProgram {
    /// Always throws: says how to build with it.
    init(architecture: Architecture) throws(RecorderError) {
      throw .witness(
        "this probetape was built without libbpf; install libbpf-dev and build with --traits Witness"
      )
    }

    func connect(cpu: Int32, event: Int32) throws(RecorderError) {}

    func attach(to event: Int32) throws(RecorderError) {}

    func attachToTrampolines() {}
  }
#endif
