"""The bookshop's two sides give the same answers to the same reads."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.testclient import TestClient

BOOKSHOP = Path(__file__).parents[2] / "examples" / "bookshop"
READS = ["/books", "/books/1", "/books/20", "/books/21", "/search?q=moss", "/search?q=", "/search?q=nothing+like+it"]


def load(path: Path) -> ModuleType:
    """The module of a file outside any package."""
    spec = importlib.util.spec_from_file_location(f"bookshop_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


legacy, function = load(BOOKSHOP / "legacy.py"), load(BOOKSHOP / "functions" / "books" / "app.py")


def event(path: str) -> dict[str, Any]:
    """The router's event for a GET of the path."""
    query = path.partition("?")[2]
    return {
        "raw_path": path,
        "method": "GET",
        "headers": {":authority": "books.example", ":path": path, ":method": "GET", "x-fig-route": "books-read"},
        "query_string_parameters": dict([query.split("=", 1)]) if "=" in query else {},
        "body": "",
        "is_base64_encoded": False,
    }


@pytest.mark.parametrize("path", READS)
def test_same_answers(path: str) -> None:
    """A read has the same status, content type and body on both sides."""
    old = TestClient(legacy.app).get(path)
    new = function.handler(event(path), None)
    assert new["status_code"] == old.status_code
    assert new["body"] == old.text
    assert new["headers"]["content-type"] == old.headers["content-type"]


def test_order() -> None:
    """An order of a book that exists gets a number; anything else is refused, and nothing breaks."""
    client = TestClient(legacy.app)
    first, second = (client.post("/orders", json={"book": 3}).json()["order"] for _ in range(2))
    assert second == first + 1
    for wrong in ("{", "[]", '{"book": 99}', '{"book": [1]}'):
        assert client.post("/orders", content=wrong).status_code == 400


def test_cart_belongs_to_session() -> None:
    """A cart keeps its books for the browser's session, and another browser does not see them."""
    client, other = TestClient(legacy.app), TestClient(legacy.app)
    client.post("/cart?book=7")
    assert "Moss" in client.get("/cart").text
    assert "Moss" not in other.get("/cart").text


def test_books_file_is_whole() -> None:
    """The books are numbered from 1 without gaps, as the demo's traffic expects."""
    books = json.loads((BOOKSHOP / "functions" / "books" / "books.json").read_text())
    assert [book["id"] for book in books] == list(range(1, 21))
