import Contract
import ContractData
import Faults
import Foundation
import JSON
import Readings
import Store
import Yams

// Turns openapi.yaml, the control contract and fixtures/ into Swift source (design §9): the
// contracts as JSON, the default data as a database image. Fails the build, with file and JSON
// pointer, when any of them is not valid.
//
// Arguments: openapi.yaml, admin-openapi.yaml, the folder of fixtures, the file to write.
// Or: `--page`, the folder of the page, the file to write: its files as they are.

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("error: \(message)\n".utf8))
    exit(1)
}

/// A YAML node as JSON, members in the order of the text.
func json(_ node: Node, at path: String) -> JSONValue {
    switch node {
    case .mapping(let mapping):
        var object = JSONObject()
        for (key, value) in mapping {
            guard let name = key.string else { fail("\(path): a key must be a string") }
            if object[name] != nil { fail("\(path)/\(name): stands here twice") }
            object[name] = json(value, at: "\(path)/\(name)")
        }
        return .object(object)
    case .sequence(let sequence):
        return .array(sequence.enumerated().map { json($1, at: "\(path)/\($0)") })
    case .scalar(let scalar):
        // YAML 1.2 core schema, as JSON has it; quoted scalars are strings whatever they look like.
        guard scalar.style == .plain, scalar.tag.description != "!" else {
            return .string(scalar.string)
        }
        switch scalar.string {
        case "", "~", "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default:
            if let value = try? JSONParser.parse(Array(scalar.string.utf8)), case .number = value {
                return value
            }
            return .string(scalar.string)
        }
    case .alias: fail("\(path): aliases are not supported")
    }
}

func contractJSON(_ path: String) -> [UInt8] {
    do {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard let node = try Yams.compose(yaml: text) else { fail("\(path): is empty") }
        return JSONWriter.octets(of: json(node, at: ""))
    } catch {
        fail("\(path): \(error)")
    }
}

func contract(_ octets: [UInt8], path: String) -> OpenAPIContract {
    do {
        return try OpenAPIContract(octets: octets)
    } catch {
        fail("\(path): \(error)")
    }
}

/// A Swift string literal of this text.
func literal(_ octets: some Sequence<UInt8>) -> String {
    var output = "\""
    for scalar in String(decoding: Array(octets), as: UTF8.self).unicodeScalars {
        switch scalar {
        case "\"": output += "\\\""
        case "\\": output += "\\\\"
        case "\0": output += "\\0"
        case "\n": output += "\\n"
        case "\r": output += "\\r"
        case "\u{1}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{2028}", "\u{2029}", "\u{FEFF}":
            output += "\\u{\(String(scalar.value, radix: 16))}"
        default: output.unicodeScalars.append(scalar)
        }
    }
    return output + "\""
}

/// Writes each file of the page as a member of `EmbeddedDefaults`, and the list of all.
func embedPage(folder: String, output: String) {
    do {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        var source =
            "// Made by Sources/embed from Sources/Page/.\n\nextension EmbeddedDefaults {\n"
        var list = ""
        for (number, name) in names.enumerated() {
            let octets = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
            source += declaration("page\(number)", octets)
            list += "            (\(literal(name.utf8)), page\(number)()),\n"
        }
        source += "    package static func pageFiles() -> [(name: String, text: StaticString)] {\n"
        source += "        [\n" + list + "        ]\n    }\n}\n"
        try Data(source.utf8).write(to: URL(fileURLWithPath: output))
    } catch {
        fail("\(folder): \(error)")
    }
}

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "--page", arguments.count == 3 {
    embedPage(folder: CommandLine.arguments[2], output: CommandLine.arguments[3])
    exit(0)
}
guard arguments.count == 4 else {
    fail("usage: embed openapi.yaml admin-openapi.yaml fixtures output.swift")
}
let paths = Array(arguments)
let mainJSON = contractJSON(paths[0])
let controlJSON = contractJSON(paths[1])
let mainContract = contract(mainJSON, path: "openapi.yaml")
_ = contract(controlJSON, path: "admin-openapi.yaml")

let zones: JSONValue
do {
    let octets = try Data(contentsOf: URL(fileURLWithPath: "\(paths[2])/time-zones.json"))
    zones = try JSONParser.parse(Array(octets))
} catch {
    fail("fixtures/time-zones.json: \(error)")
}
let folder: ValidatedFixtures
let image: [UInt8]
let dates: DatePlaces
do {
    folder = try ValidatedFixtures(path: paths[2], contract: mainContract)
    if !folder.faults.isEmpty { throw StoreError.fixtures(folder.faults) }
    let loader = try FixtureLoader(
        shapes: ViewShapes(contract: mainContract),
        scatter: Scatter(seed: 1, contract: mainContract),
        zones: TimeZones { zones }
    )
    image = try loader.makeImage(of: folder.set)
    dates = try loader.datePlaces(in: image)
} catch StoreError.fixtures(let faults) {
    fail(
        faults.prefix(50).map { "fixtures/\($0.file)\($0.pointer): \($0.reason)" }
            .joined(separator: "\nerror: ")
    )
} catch {
    fail("fixtures: \(error)")
}

let readings: JSONValue
do {
    let octets = try Data(contentsOf: URL(fileURLWithPath: "\(paths[2])/readings.json"))
    readings = try JSONParser.parse(Array(octets))
    _ = try ReadingCatalogue(readings, contract: mainContract.document)
} catch let fault as ReadingCatalogue.Fault {
    fail("fixtures/readings.json\(fault.pointer): \(fault.reason)")
} catch {
    fail("fixtures/readings.json: \(error)")
}

/// The JSON files in a folder of the fixtures, in the order of their names.
func documents(in folder: String) -> [(name: String, value: JSONValue)] {
    var documents: [(name: String, value: JSONValue)] = []
    do {
        let path = "\(paths[2])/\(folder)"
        for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        where name.hasSuffix(".json") {
            let octets = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
            do throws(JSONError) {
                documents.append((name, try JSONParser.parse(Array(octets))))
            } catch {
                fail("fixtures/\(folder)/\(name)\(error.pointer): \(error.explanation)")
            }
        }
    } catch {
        fail("fixtures/\(folder): \(error)")
    }
    return documents
}

let scenarios = documents(in: "scenarios").map(\.value)
let edges = documents(in: "edges")
for (name, value) in edges {
    do throws(EdgeCatalogue.Fault) {
        _ = try EdgeCatalogue([value])
    } catch {
        let pointer = JSONPointer(Array(error.pointer.tokens.dropFirst()))
        fail("fixtures/edges/\(name)\(pointer): \(error.reason)")
    }
    if value["name"]?.string.map({ "\($0).json" }) != name {
        fail("fixtures/edges/\(name)/name: must be that of the file")
    }
}

var requirements: [JSONValue] = []
do {
    let names = try FileManager.default.contentsOfDirectory(atPath: paths[2] + "/requirements")
    for name in names.sorted() where name.hasSuffix(".json") {
        let octets = try Data(contentsOf: URL(fileURLWithPath: "\(paths[2])/requirements/\(name)"))
        let value = try JSONParser.parse(Array(octets))
        guard value["release"]?.string.map({ $0 + ".json" }) == name,
            !(value["checks"]?.array ?? []).isEmpty
        else { fail("fixtures/requirements/\(name): names its release, and the checks of it") }
        requirements.append(value)
    }
} catch {
    fail("fixtures/requirements: \(error)")
}

/// Which octets have their highest bit, as `EmbeddedDefaults.writeImage` reads it.
func highBits(of image: [UInt8]) -> [UInt8] {
    var list: [UInt8] = []
    var between = 0
    for start in stride(from: 0, to: image.count, by: 8) {
        let marks = (0..<8).reduce(UInt8(0)) { $0 | (image[start + $1] >> 7) << UInt8($1) }
        if marks == 0 && between < 0x3F {
            between += 1
            continue
        }
        list += [UInt8(between) | (marks >> 7) << 6, marks & 0x7F]
        between = 0
    }
    return list
}

/// One member of the generated extension.
func declaration(_ name: String, _ octets: some Sequence<UInt8>) -> String {
    // A function that is never inlined: a constant would stand in the program once for each use.
    "    @inline(never) package static func \(name)() -> StaticString {\n        "
        + literal(octets) + "\n    }\n"
}
let source: String =
    "// Made by Sources/embed from openapi.yaml and fixtures/.\n\nextension EmbeddedDefaults {\n"
    + declaration("contractJSON", mainJSON)
    + declaration("controlContractJSON", controlJSON)
    + declaration("clientsJSON", JSONWriter.octets(of: folder.clients ?? []))
    + declaration("signingKeyJSON", JSONWriter.octets(of: folder.signingKey ?? .null))
    + declaration("scenariosJSON", JSONWriter.octets(of: .array(scenarios)))
    + declaration("requirementsJSON", JSONWriter.octets(of: .array(requirements)))
    + declaration("readingsJSON", JSONWriter.octets(of: readings))
    + declaration("edgesJSON", JSONWriter.octets(of: .array(edges.map(\.value))))
    + declaration("timeZonesJSON", JSONWriter.octets(of: zones))
    + declaration("imageText", image.map { $0 & 0x7F })
    + declaration("imageHighBits", highBits(of: image))
    + declaration("imageDates", dates.octets)
    + "    package static let imageOctets = \(image.count)\n}\n"
do {
    try Data(source.utf8).write(to: URL(fileURLWithPath: paths[3]))
} catch {
    fail("\(paths[3]): \(error)")
}
