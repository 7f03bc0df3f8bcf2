"""Parquet part files: one per ladder, complete or absent, never half written.

A part is written under OUT/.tmp, flushed to the disk and renamed into place. Not in the part's own folder under a
hidden name: DuckDB and Polars read those too.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .convert import upgraded
from .errors import YotoVideoError

TEMPORARY = ".tmp"  # folder beside the data sets


class UnreadablePartError(Exception):
    """A part that gives no rows; `str()` goes on after its path."""


class UnreachablePartError(UnreadablePartError):
    """There, but the system does not give it now: what it holds is not lost."""


class DamagedPartError(UnreadablePartError):
    """Truncated, or its bytes have changed since it was written."""


def part_name(ladder: str) -> str:
    """File name of a ladder's parts: readable, safe on every file system, and different for different ladders."""
    digest = hashlib.blake2b(ladder.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    slug = re.sub(r"[^A-Za-z0-9]+", "-", ladder).strip("-")[-60:].strip("-")
    return f"{slug}-{digest}.parquet" if slug else f"{digest}.parquet"


def write_part(out: Path, data_set: str, name: str, table: pa.Table) -> None:
    """Put the table at OUT/data_set/name, whole: a reader, also after a crash, sees the old part or the new one.

    Raises:
        YotoVideoError: it could not be written (disk full, folder gone); the old part is untouched.
    """
    temporary, final = out / TEMPORARY / f"{data_set}-{name}", out / data_set / name
    try:
        final.parent.mkdir(exist_ok=True)
        with temporary.open("wb") as file:
            pq.write_table(table, file, compression="zstd", write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(final)
        sync_folder(final.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise YotoVideoError(
            f"{final}: cannot write results ({error.strerror or error}); run again to resume"
        ) from None


def remove_part(out: Path, data_set: str, name: str) -> None:
    """Take the part away, if it is there.

    Raises:
        YotoVideoError: it could not be removed.
    """
    final = out / data_set / name
    try:
        final.unlink(missing_ok=True)
        sync_folder(final.parent)
    except OSError as error:
        raise YotoVideoError(f"{final}: cannot remove old results ({error.strerror or error})") from None


def read_part(path: Path, schema: pa.Schema) -> pa.Table:
    """The part's rows in the schema's columns and types; a column it lacks is null, others are left out.

    Raises:
        UnreadablePartError: it is damaged, no part of this data set, or written by a newer version.
    """
    with _reading():
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            _check_kind(file.schema_arrow, schema)
            table = upgraded(file.read(use_threads=False))  # parts are small: threads cost more than they bring
        have = table.schema
        columns = [
            pa.nulls(table.num_rows, f.type)
            if f.name not in have.names
            else table[f.name]
            if have.field(f.name).type == f.type
            else table[f.name].cast(f.type)
            for f in schema
        ]
        return pa.table(columns, schema=pa.schema([f.with_nullable(True) for f in schema]))


def count_rows(path: Path, schema: pa.Schema) -> int:
    """Number of rows, from the file's footer alone.

    Raises:
        UnreadablePartError: as read_part.
    """
    with _reading(), pq.ParquetFile(path) as file:
        _check_kind(file.schema_arrow, schema)
        return int(file.metadata.num_rows)


def sync_folder(folder: Path) -> None:
    """Make renames in the folder survive a power cut, where the system and its file system offer that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:  # Arrow raises it for bad pages too, then without a number
        reason = f"cannot be read ({_first_line(error)})"
        if error.errno is None:
            raise DamagedPartError(reason) from None
        raise (UnreadablePartError if error.errno == errno.ENOENT else UnreachablePartError)(reason) from None
    except pa.ArrowException as error:
        raise DamagedPartError(f"is damaged ({_first_line(error)})") from None


def _check_kind(found: pa.Schema, wanted: pa.Schema) -> None:
    meta, want = found.metadata or {}, wanted.metadata
    if meta.get(b"yoto_video_data_set") != want[b"yoto_video_data_set"]:
        raise UnreadablePartError("was not written by yoto-video")
    if int(meta[b"schema_version"]) > int(want[b"schema_version"]):
        raise UnreadablePartError("was written by a newer yoto-video")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
