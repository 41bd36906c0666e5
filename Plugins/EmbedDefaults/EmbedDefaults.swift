import Foundation
import PackagePlugin

/// Runs the tool `embed`: `openapi.yaml` and `fixtures/` become Swift source of target `Embedded`.
///
/// The build fails, with file and JSON pointer, when the contract or a fixture is not valid.
@main
struct EmbedDefaults: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let root = context.package.directoryURL
        let contract = root.appending(path: "openapi.yaml")
        let control = root.appending(path: "Sources/MockServer/Control/admin-openapi.yaml")
        let fixtures = root.appending(path: "fixtures")
        // Package.swift reads the variable, too: without it the plugin has a tool of its own.
        let given = ProcessInfo.processInfo.environment["QUBS_BUILD_EMBED"]
        let tool = try given.map { URL(filePath: $0) } ?? context.tool(named: "embed").url
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedDefaults.swift")
        let page = root.appending(path: "Sources/Page")
        let pageOutput = context.pluginWorkDirectoryURL.appending(path: "EmbeddedPage.swift")
        return [
            // By itself: a change of the page makes no new database.
            .buildCommand(
                displayName: "Embedding Sources/Page/",
                executable: tool,
                arguments: ["--page", page.path, pageOutput.path],
                inputFiles: [tool] + files(below: page),
                outputFiles: [pageOutput]
            ),
            .buildCommand(
                displayName: "Embedding openapi.yaml and fixtures/",
                executable: tool,
                arguments: [contract.path, control.path, fixtures.path, output.path],
                inputFiles: [tool, contract, control] + files(below: fixtures),
                outputFiles: [output]
            ),
        ]
    }

    /// Every regular file below a folder, so that a change of any of them runs the tool again.
    private func files(below folder: URL) -> [URL] {
        let enumerator = FileManager.default.enumerator(
            at: folder,
            includingPropertiesForKeys: [.isRegularFileKey]
        )
        var files: [URL] = []
        while let file = enumerator?.nextObject() as? URL {
            let values = try? file.resourceValues(forKeys: [.isRegularFileKey])
            if values?.isRegularFile == true { files.append(file) }
        }
        return files.sorted { $0.path < $1.path }
    }
}
