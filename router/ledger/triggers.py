"""What the database itself refuses: to change or remove a line of the history, and to turn a version back.

MariaDB has no trigger for TRUNCATE and DROP, and SQLite none for its file: what those took is found by the chain.
"""

_APPEND_ONLY = "history is append-only"
_GROWS = "revision, weights version and history only grow"
_FALLS = (
    "NEW.revision < OLD.revision OR NEW.weights_version < OLD.weights_version OR NEW.head_entries < OLD.head_entries"
)
_IS_THERE = "EXISTS (SELECT 1 FROM history WHERE id = NEW.id OR (node = NEW.node AND move_id = NEW.move_id))"


def _sqlite(text: str) -> str:
    return f"BEGIN SELECT RAISE(ABORT, '{text}'); END"


def _mysql(text: str) -> str:
    return f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{text}'"


_MYSQL_GROWS = f"IF {_FALLS} THEN {_mysql(_GROWS)}; END IF"

NAMES = ("history_keeps_its_lines", "history_loses_no_line", "history_replaces_no_line", "desired_only_grows")

STATEMENTS = {
    "sqlite": (
        f"CREATE TRIGGER history_keeps_its_lines BEFORE UPDATE ON history {_sqlite(_APPEND_ONLY)}",
        f"CREATE TRIGGER history_loses_no_line BEFORE DELETE ON history {_sqlite(_APPEND_ONLY)}",
        # INSERT OR REPLACE removes the old line without asking the trigger for DELETE
        f"CREATE TRIGGER history_replaces_no_line BEFORE INSERT ON history WHEN {_IS_THERE} {_sqlite(_APPEND_ONLY)}",
        f"CREATE TRIGGER desired_only_grows BEFORE UPDATE ON desired WHEN {_FALLS} {_sqlite(_GROWS)}",
    ),
    "mysql": (
        f"CREATE TRIGGER history_keeps_its_lines BEFORE UPDATE ON history FOR EACH ROW {_mysql(_APPEND_ONLY)}",
        # REPLACE asks this one
        f"CREATE TRIGGER history_loses_no_line BEFORE DELETE ON history FOR EACH ROW {_mysql(_APPEND_ONLY)}",
        f"CREATE TRIGGER desired_only_grows BEFORE UPDATE ON desired FOR EACH ROW {_MYSQL_GROWS}",
    ),
}
