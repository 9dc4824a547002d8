"""A ledger as it was made before its schema had revisions."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

_SCHEMA = """
CREATE TABLE history (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, at VARCHAR(40) NOT NULL, kind VARCHAR(16) NOT NULL,
  route VARCHAR(255), before_parts INTEGER, after_parts INTEGER, actor VARCHAR(255) NOT NULL, reason TEXT NOT NULL,
  snapshot VARCHAR(64), node VARCHAR(255), move_id VARCHAR(255), UNIQUE (node, move_id),
  CHECK (kind IN ('shift', 'publish', 'rollback', 'fold'))
);
CREATE INDEX history_by_route ON history (route, id);
CREATE TABLE estates (digest VARCHAR(64) NOT NULL PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE snapshots (
  digest VARCHAR(64) NOT NULL PRIMARY KEY, estate VARCHAR(64) NOT NULL, published_at VARCHAR(40) NOT NULL
);
CREATE TABLE desired (
  id INTEGER NOT NULL PRIMARY KEY, revision INTEGER NOT NULL, weights_version INTEGER NOT NULL, snapshot VARCHAR(64),
  previous VARCHAR(64), CHECK (id = 1)
);
CREATE TABLE weights (
  route VARCHAR(255) NOT NULL PRIMARY KEY, parts INTEGER NOT NULL, since VARCHAR(40) NOT NULL,
  by VARCHAR(255) NOT NULL, moving BOOLEAN NOT NULL, CHECK (parts BETWEEN 0 AND 10000)
);
CREATE TABLE nodes (name VARCHAR(255) NOT NULL PRIMARY KEY, first_seen VARCHAR(40) NOT NULL);
INSERT INTO desired VALUES (1, 7, 5, 'b', 'a');
INSERT INTO weights VALUES ('books', 500, '2026-11-02T08:00:00+00:00', 'ann', 1);
INSERT INTO history (at, kind, actor, reason, snapshot) VALUES
  ('2026-11-01T08:00:00+00:00', 'publish', 'ann', '', 'a'), ('2026-11-01T09:00:00+00:00', 'publish', 'ann', '', 'b');
INSERT INTO nodes VALUES ('node-1', '2026-11-02T08:00:00+00:00');
CREATE TRIGGER history_keeps_its_lines BEFORE UPDATE ON history
  BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER history_loses_no_line BEFORE DELETE ON history
  BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER history_replaces_no_line BEFORE INSERT ON history
  WHEN EXISTS (SELECT 1 FROM history WHERE id = NEW.id OR (node = NEW.node AND move_id = NEW.move_id))
  BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER desired_only_grows BEFORE UPDATE ON desired
  WHEN NEW.revision < OLD.revision OR NEW.weights_version < OLD.weights_version
  BEGIN SELECT RAISE(ABORT, 'revision and weights version only grow'); END;
"""
_LINE = "INSERT INTO history (at, kind, route, before_parts, after_parts, actor, reason) VALUES (?, ?, ?, ?, ?, ?, ?)"


def make_old_ledger(path: Path, reasons: Iterable[str]) -> None:
    """Write the file, with two publishes and then one shift for each reason."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(_SCHEMA)
    lines = [("2026-11-02T08:00:00+00:00", "shift", "books", 0, 500, "ann", reason) for reason in reasons]
    connection.executemany(_LINE, lines)
    connection.commit()
    connection.close()
