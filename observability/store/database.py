"""Opens the file, and closes every way out of it but one: from SQL there are no other files, settings or extensions.

Only `exports`, a folder beside the file, may be written from SQL: that is where parquet files are made to be sent on.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ..errors import StoreFailed, StoreHeld
from ..tables import RAW, TABLES, TIME_COLUMNS
from .insert import ddl

VERSION = 2
"""Of the tables' shape. A file of a newer version is not touched."""
MEMORY_LIMIT_BYTES = 400 * 10**6
_CHECKPOINT = "64MB"
"""Source: measured; 16 MB pauses writers for 610 ms at worst, 64 MB for 67 ms."""
_MAX_SPILL = "2GB"
"""What queries may put on the disk when memory is short: by default nearly all of it, which would end the ingest."""
_UPGRADES = {
    1: (
        'ALTER TABLE otel_traces_trace_id_ts ADD COLUMN "Key" UINTEGER',
        "UPDATE otel_traces_trace_id_ts SET \"Key\" = coalesce(TRY_CAST('0x' || left(TraceId, 8) AS UINTEGER), 0)",
    )
}
"""What makes a file of a version one of the next."""
_HOLDER = re.compile(r"\(PID (\d+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the store is, and how much memory DuckDB may take."""

    file: Path
    memory_bytes: int = MEMORY_LIMIT_BYTES
    threads: int = 2

    @property
    def log(self) -> Path:
        """What was stored since the last checkpoint: DuckDB's write-ahead log."""
        return self.file.with_name(self.file.name + ".wal")

    @property
    def exports(self) -> Path:
        """The only folder that SQL may write to."""
        return self.file.with_name(self.file.name + ".exports")


def open_database(place: Place) -> duckdb.DuckDBPyConnection:
    """The database, its tables made where they are missing. Raises `StoreHeld`, `StoreFailed`."""
    try:
        place.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.exports.mkdir(mode=0o700, exist_ok=True)
        place.file.touch(mode=0o600) if not place.file.exists() else None
        _remove_if_empty(place.file)
        connection = duckdb.connect(
            str(place.file),
            config={
                "memory_limit": f"{place.memory_bytes // 1000}KB",
                "threads": str(place.threads),
                "checkpoint_threshold": _CHECKPOINT,
                "autoload_known_extensions": "false",
                "autoinstall_known_extensions": "false",
                "allow_community_extensions": "false",
                "max_temp_directory_size": _MAX_SPILL,
                "preserve_insertion_order": "false",
            },
        )
    except OSError as error:
        message = f"the store {place.file} cannot be opened: {error.strerror or error}"
        raise StoreFailed(message) from error
    except duckdb.Error as error:
        raise _not_opened(place.file, error) from error
    try:
        _shape(connection, place)
    except (duckdb.Error, StoreFailed):
        connection.close()
        raise
    for file in (place.file, place.log):  # what an application told is for its operators only
        if file.exists():
            file.chmod(0o600)
    return connection


def _remove_if_empty(file: Path) -> None:
    """DuckDB makes the file itself; an empty one that was only made to try the folder is in its way."""
    if file.stat().st_size == 0:
        file.unlink()


def _shape(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS fig_store (Version INTEGER)")
    found = connection.execute("SELECT max(Version) FROM fig_store").fetchone()
    version = found[0] if found else None
    if version is not None and version > VERSION:
        message = (
            f"the store {place.file} was written by a newer release (version {version}): use that, or another file"
        )
        raise StoreFailed(message)
    connection.execute("BEGIN")
    for table in TABLES.sorted_tables:
        connection.execute(ddl(table))
    if version is None:
        connection.execute("INSERT INTO fig_store VALUES (?)", [VERSION])
    elif version < VERSION:
        for statement in (one for old in range(version, VERSION) for one in _UPGRADES[old]):
            connection.execute(statement)
        connection.execute("UPDATE fig_store SET Version = ?", [VERSION])
    connection.execute("COMMIT")
    connection.execute(f"SET allowed_directories = ['{str(place.exports.resolve()).replace(chr(39), chr(39) * 2)}']")
    connection.execute("SET GLOBAL TimeZone = 'UTC'")  # the tables' times are; `now()` must not be another zone's
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _not_opened(file: Path, error: duckdb.Error) -> StoreFailed:
    text = str(error)
    if "lock" in text.lower():
        holder = _HOLDER.search(text)
        who = f"process {holder[1]}" if holder else "another process"
        message = (
            f"the store {file} is in use by {who}: stop that, name another file (--data), or use fig observe query"
        )
        return StoreHeld(message)
    first = text.splitlines()[0] if text else "no reason given"
    return StoreFailed(f"the store {file} cannot be opened: {first}")


def used_bytes(connection: duckdb.DuckDBPyConnection) -> int:
    """Bytes of blocks that hold something: what retention by size looks at; the file itself never shrinks."""
    row = connection.execute("SELECT used_blocks * block_size FROM pragma_database_size()").fetchone()
    return int(row[0]) if row else 0


def log_bytes(place: Place) -> int:
    """Bytes of what was stored since the last checkpoint, which no block holds yet."""
    try:
        return place.log.stat().st_size
    except OSError:
        return 0


def delete_before(connection: duckdb.DuckDBPyConnection, time: int) -> int:
    """Delete the raw rows before this time, and return how many there were."""
    gone = 0
    for table in RAW:
        sql = f'DELETE FROM "{table.name}" WHERE "{TIME_COLUMNS[table.name]}" < make_timestamp_ns(?)'  # noqa: S608 - our own names
        row = connection.execute(sql, [time]).fetchone()
        gone += int(row[0]) if row else 0
    return gone
