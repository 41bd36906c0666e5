/// The records of a database in memory, found without SQLite (file format §1.5 to §2.1).
///
/// SQLite tells what is in a record, but not where it lies.
struct DatabasePages {
    private let start: UnsafeRawPointer
    private let pageSize: Int

    /// - Parameter octets: A database of ours: pages of 4 KiB, none of their octets reserved.
    init(_ octets: UnsafeRawBufferPointer) {
        guard let start = octets.baseAddress, octets.count >= DatabaseHeader.length else {
            preconditionFailure("a database has a head")
        }
        self.start = start
        pageSize = Self.integer(start + 16, 2)
        precondition(pageSize == 4096 && octets[20] == 0 && octets.count % pageSize == 0)
    }

    /// A record of a table, or of an index.
    struct Record {
        fileprivate let database: UnsafeRawPointer
        /// In one piece, valid for the call.
        let octets: UnsafeRawBufferPointer
        /// Where it lies; several pieces where it goes on in other pages.
        fileprivate let pieces: [UnsafeRawBufferPointer]

        var columns: Columns { Columns(octets) }

        /// Where in the database a text lies, which is shorter than a page.
        func place(of text: Range<Int>) -> DatePlaces.Place {
            var before = 0
            for (index, piece) in pieces.enumerated() {
                let start = text.lowerBound - before
                let end = text.upperBound - before
                before += piece.count
                guard start < piece.count, let address = piece.baseAddress else { continue }
                let offset = database.distance(to: address) + start
                if end <= piece.count { return .whole(offset: offset) }
                guard index + 1 < pieces.count, let next = pieces[index + 1].baseAddress else {
                    break
                }
                let rest = database.distance(to: next)
                return .cut(offset: offset, count: piece.count - start, rest: rest)
            }
            preconditionFailure("the text lies within the record")
        }
    }

    /// Gives each record of a table, or of an index.
    ///
    /// - Parameters:
    ///   - root: The first page, as `sqlite_schema` says.
    ///   - body: Gets the rowid, 0 in an index, and the record.
    func forEachRecord(ofTree root: Int, _ body: (_ row: Int64, _ record: Record) -> Void) {
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
            let pieces = pieces(octets, count, isTable: isTable)
            if pieces.count == 1 {
                body(row, Record(database: start, octets: pieces[0], pieces: pieces))
            } else {
                pieces.reduce(into: [UInt8]()) { $0 += $1 }.withUnsafeBytes {
                    body(row, Record(database: start, octets: $0, pieces: pieces))
                }
            }
        }
        if isInterior { forEachRecord(ofTree: Self.integer(head + 8, 4), body) }
    }

    /// Where a payload lies: it may go on in other pages (§1.6).
    private func pieces(
        _ octets: UnsafeRawPointer,
        _ count: Int,
        isTable: Bool
    ) -> [UnsafeRawBufferPointer] {
        let most = isTable ? pageSize - 35 : (pageSize - 12) * 64 / 255 - 23
        if count <= most { return [UnsafeRawBufferPointer(start: octets, count: count)] }
        let least = (pageSize - 12) * 32 / 255 - 23
        let wanted = least + (count - least) % (pageSize - 4)
        let first = wanted <= most ? wanted : least
        var pieces = [UnsafeRawBufferPointer(start: octets, count: first)]
        var rest = count - first
        var next = Self.integer(octets + first, 4)
        while rest > 0 {
            let page = start + (next - 1) * pageSize
            let length = min(rest, pageSize - 4)
            pieces.append(UnsafeRawBufferPointer(start: page + 4, count: length))
            rest -= length
            next = Self.integer(page, 4)
        }
        return pieces
    }

    /// The columns of a record (§2.1), by their places.
    struct Columns {
        private let record: UnsafeRawBufferPointer
        private var ranges: [Range<Int>] = []
        private var types: [Int] = []

        init(_ record: UnsafeRawBufferPointer) {
            self.record = record
            guard let start = record.baseAddress else { return }
            var next = start
            let head = Int(varint(&next))
            var body = head
            while next < start + head {
                let type = Int(varint(&next))
                types.append(type)
                ranges.append(body..<body + Self.length(type))
                body += Self.length(type)
            }
        }

        /// Where a text or blob lies in the record.
        func range(_ column: Int) -> Range<Int> { ranges[column] }

        /// An integer that is not negative.
        func integer(_ column: Int) -> Int {
            if types[column] == 9 { return 1 }
            return record[ranges[column]].reduce(0) { $0 << 8 | Int($1) }
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

    fileprivate static func integer(_ octets: UnsafeRawPointer, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 << 8 | Int(octets.load(fromByteOffset: $1, as: UInt8.self)) }
    }

    /// Reads an integer of one to nine octets, seven bits each, the highest first.
    fileprivate static func varint(_ octets: inout UnsafeRawPointer) -> Int64 {
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

private func varint(_ octets: inout UnsafeRawPointer) -> Int64 {
    DatabasePages.varint(&octets)
}
