/// The version of this program, as `--version`, `/__admin/version` and CHANGELOG.md have it.
package enum ProgramVersion {
    package static let text = "0.2.0"
}
