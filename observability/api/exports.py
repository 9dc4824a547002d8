"""A table as parquet: written by DuckDB into the one folder that it may write to, sent, and removed."""

import asyncio
import secrets
from pathlib import Path

import duckdb
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from strangler_fig.diagnostics import Diagnostic, Refused

from ..errors import StoreFailed
from ..query.reader import DuckDbReader
from ..query.window import Window
from ..tables import TABLES, TIME_COLUMNS
from .questions import Question

_EXPORT_SECONDS = 600.0


class Exports:
    """Writes tables into a folder that it empties at its beginning."""

    def __init__(self, reader: DuckDbReader, folder: Path) -> None:
        self._reader = reader
        self._folder = folder
        for left_over in folder.glob("*.parquet"):
            left_over.unlink()

    def routes(self) -> list[Route]:
        """The one path."""
        return [Route("/api/export/{table}", self.export)]

    async def export(self, request: Request) -> Response:
        """The table as a file."""
        table = request.path_params["table"]
        if table not in TABLES.tables:
            known = ", ".join(sorted(TABLES.tables))
            raise Refused(
                [Diagnostic(code="OB205", message=f"there is no table {table[:60]!r}", hint=f"there are {known}")]
            )
        question = Question(request.query_params)
        window = question.window()
        question.check()
        path = await asyncio.to_thread(self._write, table, window)
        return FileResponse(
            path,
            media_type="application/vnd.apache.parquet",
            filename=f"{table}.parquet",
            background=BackgroundTask(path.unlink),
        )

    def _write(self, table: str, window: Window) -> Path:
        path = self._folder / f"{secrets.token_hex(8)}.parquet"
        time = TIME_COLUMNS[table]
        target = str(path.resolve()).replace("'", "''")
        sql = (
            f'COPY (SELECT * FROM "{table}" WHERE "{time}" >= make_timestamp_ns({window.start})'  # noqa: S608 - our own names and numbers
            f" AND \"{time}\" < make_timestamp_ns({window.end})) TO '{target}'"
            " (FORMAT parquet, COMPRESSION zstd)"
        )
        try:
            with self._reader.cursor(_EXPORT_SECONDS) as cursor:
                cursor.execute(sql)
        except duckdb.Error as error:
            path.unlink(missing_ok=True)
            message = f"{table} could not be exported: {str(error).splitlines()[0]}"
            raise StoreFailed(message) from error
        return path
