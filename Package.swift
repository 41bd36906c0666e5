// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// For rooms that are optimised in debug builds, too.
///
/// Every test validates each answer with them, or judges thousands of stories: they took half of the
/// tests' time. Arithmetic is checked all the same.
let quick: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// For rooms off the hot path: the release program has to stay below 30 MB.
let small: [SwiftSetting] =
    strict + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

/// How the program is linked that goes to others: one file without any library beside it.
///
/// `scripts/build` asks for it. Tables for unwinding, a tenth of the program, are left out: nothing
/// in it throws a C++ exception, and crashes are told by the core.
let lonely: [LinkerSetting] =
    Context.environment["QUBS_BUILD_STATIC"] == nil
    ? []
    : [
        .unsafeFlags([
            "-static-executable", "-use-ld=lld", "-Xlinker", "-s", "-Xlinker", "--icf=safe",
            "-Xlinker", "--no-eh-frame-hdr",
            "-Xlinker", "-T", "-Xlinker", Context.packageDirectory + "/scripts/left-out.ld",
        ])
    ]

/// Whether the tool `embed` is built before, and the plugin is told where it is.
///
/// `scripts/build` does so. A plugin's own tool would be compiled apart from the program, with every
/// room and package that both of them need.
let embedIsGiven = Context.environment["QUBS_BUILD_EMBED"] != nil

/// A room: imports what it names and nothing else.
///
/// The README says what is in each.
func room(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    settings: [SwiftSetting] = strict
) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The tests of a room.
///
/// - Parameter corpus: Whether the folder has a `Corpus`, which tests find by their own path.
func tests(
    _ room: String,
    _ others: [Target.Dependency] = [],
    corpus: Bool = false
) -> Target {
    .testTarget(
        name: room + "Tests",
        dependencies: [.byName(name: room)] + (corpus ? ["TestTools"] : []) + others,
        exclude: corpus ? ["Corpus"] : [],
        swiftSettings: strict
    )
}

let package = Package(
    name: "qubs-mock",
    products: [.executable(name: "qubs-mock", targets: ["qubs-mock"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // Headers of what Glibc's module leaves out, and of libraries that are linked statically:
        // SQLite, and the libcrypto of OpenSSL.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CLibCrypto"),
        .systemLibrary(name: "CSQLite"),

        room("Chance"),
        room("JSON", settings: strict + quick),
        room("Suggestions"),
        room("Time"),
        room("HTTPMessage"),
        room("HTTPTransport", ["HTTPMessage", "Time", "CLinux"]),
        room(
            "Contract",
            ["HTTPMessage", "JSON", "Suggestions", "Time"],
            settings: strict + quick
        ),
        .target(
            name: "OAuth",
            dependencies: ["JSON", "Suggestions", "Time", "CLibCrypto"],
            swiftSettings: strict,
            linkerSettings: [.linkedLibrary(":libcrypto.a")]
        ),
        room("QUBS", ["Time"]),
        .target(
            name: "Store",
            dependencies: ["Chance", "QUBS", "JSON", "Time", "CLinux", "CSQLite"],
            swiftSettings: strict,
            linkerSettings: [.linkedLibrary(":libsqlite3.a"), .linkedLibrary("m")]
        ),
        room("ContractData", ["Contract", "JSON", "Store"], settings: small),
        room("Faults", ["Chance", "Contract", "JSON", "Suggestions", "Time"], settings: small),
        room("Readings", ["Contract", "Faults", "JSON", "Suggestions"], settings: small),
        room("Journal", ["JSON", "Time"]),
        room("Verdict", ["Journal", "JSON", "Time"], settings: small + quick),
        room("Trials", ["Chance", "JSON", "Journal", "Suggestions", "Verdict"], settings: small),
        room("Privacy", ["Journal", "Store"]),
        room(
            "Explain",
            [
                "Contract", "HTTPMessage", "JSON", "Journal", "OAuth", "QUBS", "Store",
                "Suggestions", "Time",
            ],
            settings: small
        ),
        .target(
            name: "Embedded",
            swiftSettings: strict,
            plugins: [.plugin(name: "EmbedDefaults")]
        ),
        .target(
            name: "MockServer",
            dependencies: [
                "Contract", "ContractData", "Explain", "Faults", "HTTPMessage", "HTTPTransport",
                "JSON", "Journal", "OAuth", "Privacy", "QUBS", "Readings", "Store", "Suggestions",
                "Time", "Verdict", "CLinux",
            ],
            exclude: ["Control/admin-openapi.yaml"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "qubs-mock",
            dependencies: [
                "Contract", "ContractData", "Embedded", "HTTPMessage", "HTTPTransport", "JSON",
                "MockServer", "OAuth", "QUBS", "Readings", "Store", "Suggestions", "Time",
                "Trials", "Verdict", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: small,
            linkerSettings: lonely
        ),

        // openapi.yaml and fixtures/ into the program, at build time.
        .executableTarget(
            name: "embed",
            dependencies: [
                "Contract", "ContractData", "Faults", "JSON", "Readings", "Store",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict
        ),
        .plugin(
            name: "EmbedDefaults",
            capability: .buildTool(),
            dependencies: embedIsGiven ? [] : ["embed"]
        ),

        .target(name: "TestTools", path: "Tests/TestTools", swiftSettings: strict),
        .target(
            name: "TestSupport",
            dependencies: [
                "Contract", "ContractData", "Embedded", "HTTPMessage", "HTTPTransport", "JSON",
                "Journal", "MockServer", "Store", "Time",
            ],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        tests("JSON", corpus: true),
        tests("HTTPMessage", ["Chance"], corpus: true),
        // The transport under simulated clients, network and time; see scripts/simulate.
        .executableTarget(
            name: "simulate",
            dependencies: ["Chance", "HTTPMessage", "HTTPTransport", "Time"],
            path: "Tests/Simulation",
            swiftSettings: strict
        ),
        tests("HTTPTransport", ["Chance", "HTTPMessage", "TestSupport", "Time", "simulate"]),
        tests("Contract", ["HTTPMessage", "JSON"]),
        tests("OAuth", ["Chance", "JSON"], corpus: true),
        tests("QUBS", ["Time"]),
        tests("Store", ["Chance", "QUBS", "JSON", "Time", "CSQLite"]),
        tests("Faults", ["Contract", "Embedded", "JSON", "Time"], corpus: true),
        tests("Readings", ["Contract", "Embedded", "JSON", "TestTools"]),
        tests("Journal", ["JSON"]),
        tests("Time", ["Chance"], corpus: true),
        tests("Verdict", ["Chance", "Journal", "JSON", "TestTools"]),
        tests("Trials", ["JSON", "Verdict"]),
        tests("Privacy"),
        tests(
            "MockServer",
            [
                "Contract", "ContractData", "Embedded", "Faults", "HTTPMessage", "HTTPTransport",
                "JSON",
                "Journal", "OAuth", "QUBS", "Readings", "Store", "TestSupport", "Time", "Verdict",
                "qubs-mock",
            ],
            corpus: true
        ),
    ],
    swiftLanguageModes: [.v6]
)
