/// How records become rows: the shapes of the views and the order of lists.
struct RecordRules: Sendable {
    let shapes: ViewShapes
    let layout: AppointmentLayout
    let scatter: Scatter
    let zones: TimeZones
    /// An attachment without what depends on the request.
    let attachmentHead: ViewShape

    /// - Throws: `StoreError.shapes` where the views of an appointment do not build on each other.
    init(shapes: ViewShapes, scatter: Scatter, zones: TimeZones) throws(StoreError) {
        self.shapes = shapes
        self.scatter = scatter
        self.zones = zones
        layout = try AppointmentLayout(shapes)
        attachmentHead = ViewShape(
            members: shapes.attachment.members.filter {
                !AttachmentRow.madeMembers.contains($0.name)
            }
        )
    }
}
