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
    private let object: OpaquePointer
    private var links: [OpaquePointer] = []
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
      // Without the trampoline's tracepoints where the kernel does not have them.
      var loaded = Self.load(bytes, atTrampolines: architecture == .x86_64)
      if case .failure = loaded { loaded = Self.load(bytes, atTrampolines: false) }
      switch loaded {
      case .success(let object): unsafe self.object = object
      case .failure(let error): throw Self.refusal(error.number)
      }
      unsafe program = bpf_program__fd(bpf_object__find_program_by_name(object, "at_hit"))
      unsafe rings = bpf_map__fd(bpf_object__find_map_by_name(object, "rings"))
      guard program >= 0, rings >= 0 else { throw Self.refusal(ENOENT) }
    }

    deinit {
      // Links were made by `attachToTrampolines` and are destroyed once.
      for link in links { _ = unsafe bpf_link__destroy(link) }
      unsafe bpf_object__close(object)
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
      for name in Self.trampolinePrograms {
        guard let program = unsafe bpf_object__find_program_by_name(object, name),
          unsafe bpf_program__fd(program) >= 0, let link = unsafe bpf_program__attach(program)
        else { continue }
        unsafe links.append(link)
      }
    }

    private static func load(
      _ bytes: [UInt8], atTrampolines: Bool
    ) -> Result<OpaquePointer, SystemFailure> {
      // The library copies what it needs of the bytes.
      let opened = unsafe bytes.withUnsafeBytes { bytes in
        unsafe bpf_object__open_mem(bytes.baseAddress, bytes.count, nil)
      }
      guard let object = unsafe opened else {
        return .failure(SystemFailure(operation: "read the witness's program", number: errno))
      }
      for name in trampolinePrograms where !atTrampolines {
        guard let program = unsafe bpf_object__find_program_by_name(object, name) else { continue }
        _ = unsafe bpf_program__set_autoload(program, false)
      }
      let result = unsafe bpf_object__load(object)
      guard result == 0 else {
        unsafe bpf_object__close(object)
        return .failure(SystemFailure(operation: "load the witness's program", number: -result))
      }
      return unsafe .success(object)
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

  /// Stands for the BPF program in a build without libbpf.
  final class WitnessProgram {
    /// Always throws: says how to build with it.
    init(architecture: Architecture) throws(RecorderError) {
      throw .witness(
        "this probetape was built without libbpf; install libbpf-dev and build with --traits Witness"
      )
    }

    /// Never called, as there is no instance.
    func connect(cpu: Int32, event: Int32) throws(RecorderError) {}

    /// Never called, as there is no instance.
    func attach(to event: Int32) throws(RecorderError) {}

    /// Never called, as there is no instance.
    func attachToTrampolines() {}
  }
#endif
