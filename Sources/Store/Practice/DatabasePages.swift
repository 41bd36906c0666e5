/// The records of a database in memory, found without SQLite (file format §1.5 to §2.1).
///
/// SQLite would write a row of some hundred octets to change ten of them. Nobody else may have the
/// database open meanwhile.
struct DatabasePages {
    private let start: UnsafeMutableRawPointer
    private let pageSize: Int

    /// - Parameter octets: A database of ours: pages of 4 KiB, none of their octets reserved.
    init(_ octets: UnsafeMutableRawBufferPointer) {
        guard let start = octets.baseAddress, octets.count >= DatabaseHeader.length else {
            preconditionFailure("a database has a head")
        }
        self.start = start
        pageSize = Self.integer(start + 16, 2)
        precondition(pageSize == 4096 && octets[20] == 0 && octets.count % pageSize == 0)
    }

    /// Gives each record of a table, or of an index, to be changed where it lies.
    ///
    /// - Parameters:
    ///   - root: The first page, as `sqlite_schema` says.
    ///   - body: Gets the rowid, 0 in an index, and the record, valid for the call.
    func forEachRecord(
        ofTree root: Int,
        _ body: (_ row: Int64, _ record: UnsafeMutableRawBufferPointer) -> Void
    ) {
        let page = start + (root - 1) * pageSize
        let head = page + (root == 1 ? DatabaseHeader.length : 0)
        let kind = head.load(as: UInt8.self)
        let isInterior = kind == 0x02 || kind == 0x05
        let isTable = kind == 0x05 || kind == 0x0D
        let pointers = head + (isInterior ? 12 : 8)
        for cell in 0..<Self.integer(head + 3, 2) {
            var octets = page + Self.integer(pointers + 2 * cell, 2)
            if isInterior {
                forEachRecord(ofTree: Self.integer(octets, 4), body)
                if isTable { continue }
                octets += 4
            }
            let count = Int(Self.varint(&octets))
            let row = isTable ? Self.varint(&octets) : 0
            payload(octets, count, isTable: isTable) { body(row, $0) }
        }
        if isInterior { forEachRecord(ofTree: Self.integer(head + 8, 4), body) }
    }

    /// Gives a payload in one piece; where it goes on in other pages (§1.6), it is written back.
    private func payload(
        _ octets: UnsafeMutableRawPointer,
        _ count: Int,
        isTable: Bool,
        _ body: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        let most = isTable ? pageSize - 35 : (pageSize - 12) * 64 / 255 - 23
        if count <= most {
            return body(UnsafeMutableRawBufferPointer(start: octets, count: count))
        }
        let least = (pageSize - 12) * 32 / 255 - 23
        let wanted = least + (count - least) % (pageSize - 4)
        var pieces = [
            UnsafeMutableRawBufferPointer(start: octets, count: wanted <= most ? wanted : least)
        ]
        var rest = count - pieces[0].count
        var next = Self.integer(octets + pieces[0].count, 4)
        while rest > 0 {
            let page = start + (next - 1) * pageSize
            let length = min(rest, pageSize - 4)
            pieces.append(UnsafeMutableRawBufferPointer(start: page + 4, count: length))
            rest -= length
            next = Self.integer(page, 4)
        }
        var whole = pieces.reduce(into: [UInt8]()) { $0 += $1 }
        whole.withUnsafeMutableBytes { whole in
            body(whole)
            var read = 0
            for piece in pieces {
                piece.copyBytes(from: whole[read..<read + piece.count])
                read += piece.count
            }
        }
    }

    /// The columns of a record (§2.1), by their places.
    struct Columns {
        private let record: UnsafeMutableRawBufferPointer
        /// Where each column begins, and after the last its end.
        private var starts = InlineArray<17, Int32>(repeating: 0)
        private var types = InlineArray<16, Int32>(repeating: 0)

        /// - Parameter record: A row of one of our tables: 16 columns at most.
        init(_ record: UnsafeMutableRawBufferPointer) {
            self.record = record
            guard let start = record.baseAddress else { return }
            var next = start
            let head = Int(varint(&next))
            var body = head
            var column = 0
            while next < start + head, column < 16 {
                let type = Int(varint(&next))
                types[column] = Int32(truncatingIfNeeded: type)
                starts[column] = Int32(truncatingIfNeeded: body)
                body += Self.length(type)
                column += 1
                starts[column] = Int32(truncatingIfNeeded: body)
            }
        }

        /// A text or blob.
        func octets(_ column: Int) -> UnsafeMutableRawBufferPointer {
            UnsafeMutableRawBufferPointer(
                rebasing: record[Int(starts[column])..<Int(starts[column + 1])]
            )
        }

        /// An integer that is not negative.
        func integer(_ column: Int) -> Int {
            if types[column] == 9 { return 1 }
            return octets(column).reduce(0) { $0 << 8 | Int($1) }
        }

        private static func length(_ type: Int) -> Int {
            switch type {
            case 0...4: type
            case 5: 6
            case 6, 7: 8
            case 8...11: 0
            default: (type - 12) / 2
            }
        }
    }

    fileprivate static func integer(_ octets: UnsafeMutableRawPointer, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 << 8 | Int(octets.load(fromByteOffset: $1, as: UInt8.self)) }
    }

    /// Reads an integer of one to nine octets, seven bits each, the highest first.
    fileprivate static func varint(_ octets: inout UnsafeMutableRawPointer) -> Int64 {
        var value: UInt64 = 0
        for index in 0..<9 {
            let octet = octets.load(as: UInt8.self)
            octets += 1
            if index == 8 { return Int64(bitPattern: value << 8 | UInt64(octet)) }
            value = value << 7 | UInt64(octet & 0x7F)
            if octet < 0x80 { break }
        }
        return Int64(bitPattern: value)
    }
}

private func varint(_ octets: inout UnsafeMutableRawPointer) -> Int64 {
    DatabasePages.varint(&octets)
}
