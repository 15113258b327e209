"""The packages that mutants are built in: what is mutated, with its tests, and nothing else."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HEAD = """// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
"""


class Model:
    """The kernel model and its tests."""

    mutated = "Sources/KernelModel"
    module = "Sources/KernelModel"
    copied = ["Sources/ProbeEvents", "Sources/KernelModel", "Tests/KernelModelTests"]
    # The quick ones first, as most mutants fall to them; what reads the sources as text runs none.
    choices = [
        ["--skip", "RandomWalkTests|FuzzTests|KprobeRandomTests|KernelMapTests"],
        ["--filter", "RandomWalkTests|FuzzTests|KprobeRandomTests"]]
    manifest = HEAD + """let package = Package(
  name: "mutants",
  targets: [
    .target(name: "ProbeEvents", swiftSettings: strict),
    .target(name: "KernelModel", dependencies: ["ProbeEvents"], swiftSettings: strict),
    .testTarget(
      name: "KernelModelTests", dependencies: ["ProbeEvents", "KernelModel"],
      swiftSettings: strict),
  ], swiftLanguageModes: [.v6])
"""


class Stepping:
    """What holds recordings against the model's breakpoints and steps, and its tests."""

    mutated = "Sources/Replay/Stepping"
    module = "Sources/Replay"
    copied = [
        "Sources/CCapstone", "Sources/CProbeHandler", "Sources/CZstd", "Sources/HandlerHost",
        "Sources/InstructionDecoding", "Sources/KernelModel", "Sources/ProbeEvents",
        "Sources/ProbetapeTesting", "Sources/Replay", "Sources/TapeFormat", "Tests/ReplayTests",
        "recordings"]
    choices = [["--filter", "Step"]]
    manifest = HEAD + f"""let system: Target.Dependency = .product(
  name: "SystemPackage", package: "swift-system")
func floor(_ name: String, _ dependencies: [Target.Dependency]) -> Target {{
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}}
let package = Package(
  name: "mutants",
  dependencies: [.package(path: "{ROOT}/.build/checkouts/swift-system")],
  targets: [
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd"),
    .systemLibrary(name: "CCapstone", pkgConfig: "capstone"), .target(name: "CProbeHandler"),
    floor("ProbeEvents", []), floor("KernelModel", ["ProbeEvents"]),
    floor("TapeFormat", ["ProbeEvents", "CZstd", system]),
    .target(
      name: "HandlerHost", dependencies: ["ProbeEvents", "CProbeHandler", system],
      resources: [.embedInCode("KernelSource/StandIns")], swiftSettings: strict),
    floor("InstructionDecoding", ["ProbeEvents", "KernelModel", "CCapstone"]),
    floor(
      "Replay", ["ProbeEvents", "TapeFormat", "KernelModel", "InstructionDecoding", "HandlerHost"]),
    floor("ProbetapeTesting", ["ProbeEvents", "TapeFormat", "KernelModel", "Replay"]),
    .testTarget(
      name: "ReplayTests",
      dependencies: ["ProbeEvents", "TapeFormat", "KernelModel", "Replay", "ProbetapeTesting"],
      swiftSettings: strict),
  ], swiftLanguageModes: [.v6])
"""
