#ifndef QUBS_MOCK_CSQLITE_H
#define QUBS_MOCK_CSQLITE_H

#include <sqlite3.h>
#include <sys/types.h>
#include <unistd.h>

/* Swift cannot call variadic functions and does not import macros that cast. */

/// Stops SQLite from counting its memory: the counters stand behind one mutex for all threads.
/// To be called before the first connection is opened.
static inline int csqlite_configure_no_memory_statistics(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/// Makes connections without mutexes the default. To be called before the first connection.
static inline int csqlite_configure_multithread(void) {
    return sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
}

/// Sets a switch of a connection (SQLITE_DBCONFIG_...), `on` being 0 or 1.
static inline int csqlite_set_switch(sqlite3 *connection, int option, int on) {
    return sqlite3_db_config(connection, option, on, (int *)0);
}

/// Binds text that SQLite copies at once.
static inline int csqlite_bind_text(
    sqlite3_stmt *statement, int index, const char *text, int length
) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

/// Binds text that stays valid until the statement is reset or bound anew.
static inline int csqlite_bind_text_static(
    sqlite3_stmt *statement, int index, const char *text, int length
) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_STATIC);
}

/// Binds octets that SQLite copies at once; an empty blob where `length` is 0.
static inline int csqlite_bind_blob(
    sqlite3_stmt *statement, int index, const void *octets, int length
) {
    if (length == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob(statement, index, octets, length, SQLITE_TRANSIENT);
}

/// Binds octets that stay valid until the statement is reset or bound anew.
static inline int csqlite_bind_blob_static(
    sqlite3_stmt *statement, int index, const void *octets, int length
) {
    if (length == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob(statement, index, octets, length, SQLITE_STATIC);
}

/* Declared only under _GNU_SOURCE, which Swift's C importer does not define. */
extern ssize_t copy_file_range(int, off_t *, int, off_t *, size_t, unsigned int);

/// Copies octets from the present offset of one file to that of another, inside the kernel.
static inline ssize_t csqlite_copy_file_range(int from, int to, size_t octets) {
    return copy_file_range(from, (off_t *)0, to, (off_t *)0, octets, 0);
}

#endif
