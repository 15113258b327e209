// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func floor(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

// The floors, lowest first. Imports point down only.
let package = Package(
  name: "probetape",
  products: [
    .executable(name: "probetape", targets: ["probetape"]),
    .library(
      name: "Probetape",
      targets: ["ProbeEvents", "TapeFormat", "KernelModel", "Replay", "ProbetapeTesting"]),
  ],
  traits: [
    .trait(name: "Witness", description: "record --witness, which needs libbpf")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
  ],
  targets: [
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CElf", pkgConfig: "libelf", providers: [.apt(["libelf-dev"])]),
    .systemLibrary(
      name: "CCapstone", pkgConfig: "capstone", providers: [.apt(["libcapstone-dev"])]),
    .systemLibrary(name: "CBpf", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev"])]),
    .systemLibrary(
      name: "CMessageDigest", pkgConfig: "libmd", providers: [.apt(["libmd-dev"])]),
    .systemLibrary(
      name: "CUnwind", pkgConfig: "libunwind-generic", providers: [.apt(["libunwind-dev"])]),
    .systemLibrary(name: "CDwfl", pkgConfig: "libdw", providers: [.apt(["libdw-dev"])]),
    .target(name: "CPerfEvent", linkerSettings: [.linkedLibrary("stdc++")]),

    floor("ProbeEvents", []),
    floor("TapeFormat", ["ProbeEvents", "CZstd", system]),
    floor("KernelModel", ["ProbeEvents"]),
    .target(name: "CProbeHandler"),
    .target(
      name: "HandlerHost", dependencies: ["ProbeEvents", "CProbeHandler", system],
      resources: [.embedInCode("KernelSource/StandIns")],
      swiftSettings: strict),
    floor(
      "Replay", ["ProbeEvents", "TapeFormat", "KernelModel", "InstructionDecoding", "HandlerHost"]),
    floor("InstructionDecoding", ["ProbeEvents", "KernelModel", "CCapstone"]),
    .target(
      name: "Recorder",
      dependencies: [
        "ProbeEvents", "TapeFormat", "HandlerHost", "InstructionDecoding", "CPerfEvent", "CElf",
        "CCapstone", system,
        .target(name: "CBpf", condition: .when(traits: ["Witness"])),
      ],
      resources: [.embedInCode("Witness/witness.bpf.c")],
      swiftSettings: strict),
    floor(
      "Unwinding",
      ["ProbeEvents", "TapeFormat", "Replay", "Recorder", "CUnwind", "CDwfl"]),
    floor("Reduction", ["ProbeEvents", "TapeFormat", "Replay"]),
    floor("TapeExchange", ["ProbeEvents", "TapeFormat", "Replay", "CZstd", system]),
    floor("ProbetapeTesting", ["ProbeEvents", "TapeFormat", "KernelModel", "Replay"]),
    .executableTarget(
      name: "probetape",
      dependencies: [
        "ProbeEvents", "TapeFormat", "KernelModel", "HandlerHost", "Replay", "Reduction",
        "Recorder", "Unwinding", "TapeExchange", "ProbetapeTesting", "CMessageDigest", system,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    tests("TapeFormatTests", ["ProbeEvents", "TapeFormat", system]),
    tests("KernelModelTests", ["ProbeEvents", "KernelModel"]),
    tests(
      "ReplayTests", ["ProbeEvents", "TapeFormat", "KernelModel", "Replay", "ProbetapeTesting"]),
    tests("CommandLineTests", ["probetape", "Recorder"]),
    tests("TidyTests", []),
    tests("RecordingsTests", ["ProbeEvents", "TapeFormat", "Replay"]),
    tests("InstructionDecodingTests", ["ProbeEvents", "KernelModel", "InstructionDecoding"]),
    tests(
      "HandlerHostTests",
      ["ProbeEvents", "TapeFormat", "HandlerHost", "Replay", "ProbetapeTesting", "probetape"]),
    tests(
      "ReductionTests",
      ["ProbeEvents", "TapeFormat", "KernelModel", "Replay", "Reduction", "ProbetapeTesting"]),
    .testTarget(
      name: "TapeExchangeTests",
      dependencies: [
        "ProbeEvents", "TapeFormat", "Replay", "TapeExchange", "ProbetapeTesting", "probetape",
        system,
      ],
      exclude: ["Fixtures"], swiftSettings: strict),
    tests(
      "RecorderTests",
      [
        "ProbeEvents", "TapeFormat", "Recorder", "CPerfEvent", "KernelModel",
        "InstructionDecoding",
      ]),
    .testTarget(
      name: "UnwindingTests",
      dependencies: ["ProbeEvents", "TapeFormat", "Replay", "Recorder", "Unwinding"],
      exclude: ["Programs"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
