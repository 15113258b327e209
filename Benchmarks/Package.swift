// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of Probetape do not fetch what only measuring needs.
let package = Package(
  name: "probetape-benchmarks",
  dependencies: [
    .package(name: "probetape", path: ".."),
    .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "ReplayBenchmarks",
      dependencies: [
        .product(name: "Probetape", package: "probetape"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      // The plugin runs the targets that it finds in a folder of this name.
      path: "Benchmarks/ReplayBenchmarks",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ],
  swiftLanguageModes: [.v6]
)
