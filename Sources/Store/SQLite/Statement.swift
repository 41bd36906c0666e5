import CSQLite

/// A prepared statement, compiled at its first use and kept.
///
/// The order of calls: `prepare`, `step` until it gives `false` or enough was seen, `reset`; or `run`
/// for all of them. A statement that is not reset keeps its transaction open.
final class Statement {
    let sql: String
    private let database: Database
    private var handle: OpaquePointer?

    init(_ database: Database, _ sql: String) {
        self.database = database
        self.sql = sql
    }

    deinit {
        sqlite3_finalize(handle)
    }

    /// Compiles the statement where that has not been done, and binds its parameters in order.
    @inline(__always)
    func prepare<each Value: Bindable>(_ values: repeat each Value) throws(StoreError) {
        if handle == nil { try compile() }
        var parameter: Int32 = 0
        for value in repeat each values {
            parameter += 1
            value.bind(to: handle, parameter)
        }
    }

    private func compile() throws(StoreError) {
        let code = sqlite3_prepare_v3(
            database.handle,
            sql,
            -1,
            UInt32(SQLITE_PREPARE_PERSISTENT),
            &handle,
            nil
        )
        if code != SQLITE_OK { throw Database.error(database.handle, code: code, sql: sql) }
    }

    /// Moves to the next row; `false` after the last one.
    @inline(__always)
    func step() throws(StoreError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        throw failure(code)
    }

    private func failure(_ code: Int32) -> StoreError {
        let error = Database.error(database.handle, code: code, sql: sql)
        sqlite3_reset(handle)
        return error
    }

    /// Runs a statement that gives no rows.
    func run<each Value: Bindable>(_ values: repeat each Value) throws(StoreError) {
        try prepare(repeat each values)
        defer { reset() }
        _ = try step()
    }

    /// Ends the run and forgets what was bound.
    @inline(__always)
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    /// Binds one parameter, counted from 1.
    func bind(_ parameter: Int32, _ value: some Bindable) { value.bind(to: handle, parameter) }

    // Columns of the present row, counted from 0.

    @inline(__always)
    func integer(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    func text(_ column: Int32) -> String {
        let count = Int(sqlite3_column_bytes(handle, column))
        guard let start = sqlite3_column_text(handle, column) else { return "" }
        return String(
            decoding: UnsafeBufferPointer(start: start, count: count),
            as: UTF8.self
        )
    }

    func optionalText(_ column: Int32) -> String? {
        isNull(column) ? nil : text(column)
    }

    func octets(_ column: Int32) -> [UInt8] {
        var octets: [UInt8] = []
        append(column, to: &octets)
        return octets
    }

    func optionalOctets(_ column: Int32) -> [UInt8]? {
        isNull(column) ? nil : octets(column)
    }

    /// A blob, valid until the next step or reset.
    @inline(__always)
    func buffer(_ column: Int32) -> UnsafeRawBufferPointer {
        // One look at the row for both. No mutex protects the value, and none would otherwise: each
        // connection is open without, for one thread at a time.
        let value = sqlite3_column_value(handle, column)
        let start = sqlite3_value_blob(value)
        return UnsafeRawBufferPointer(
            start: start,
            count: start == nil ? 0 : Int(sqlite3_value_bytes(value))
        )
    }

    /// Appends a blob, octet for octet.
    func append(_ column: Int32, to output: inout [UInt8]) {
        output.append(contentsOf: buffer(column))
    }

    /// Appends a blob of each row that is left, with commas between.
    ///
    /// - Returns: How many rows there were.
    func appendRows(_ column: Int32, to output: inout [UInt8]) throws(StoreError) -> Int {
        var count = 0
        while try step() {
            if count > 0 { output.append(UInt8(ascii: ",")) }
            append(column, to: &output)
            count += 1
        }
        return count
    }
}

/// A value that a parameter of a statement takes.
///
/// That binding fails for want of memory shows as NULL, and then as a constraint or a row not found;
/// the parameters' numbers are ours.
protocol Bindable {
    func bind(to handle: OpaquePointer?, _ parameter: Int32)
}

extension Int64: Bindable {
    func bind(to handle: OpaquePointer?, _ parameter: Int32) {
        sqlite3_bind_int64(handle, parameter, self)
    }
}

extension Int: Bindable {
    func bind(to handle: OpaquePointer?, _ parameter: Int32) {
        sqlite3_bind_int64(handle, parameter, Int64(self))
    }
}

extension String: Bindable {
    func bind(to handle: OpaquePointer?, _ parameter: Int32) {
        var text = self
        text.withUTF8 { octets in
            octets.withMemoryRebound(to: CChar.self) {
                // An empty string may have no address, which would bind NULL.
                if let start = $0.baseAddress {
                    _ = csqlite_bind_text(handle, parameter, start, Int32($0.count))
                } else {
                    _ = csqlite_bind_text(handle, parameter, "", 0)
                }
            }
        }
    }
}

extension [UInt8]: Bindable {
    func bind(to handle: OpaquePointer?, _ parameter: Int32) {
        withUnsafeBytes {
            _ = csqlite_bind_blob(handle, parameter, $0.baseAddress, Int32($0.count))
        }
    }
}

extension Optional: Bindable where Wrapped: Bindable {
    func bind(to handle: OpaquePointer?, _ parameter: Int32) {
        if let self {
            self.bind(to: handle, parameter)
        } else {
            sqlite3_bind_null(handle, parameter)
        }
    }
}
