"""The libraries for browsers: pinned, checked, brought by npm; and what happens without them."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from observability.pages import vendor
from observability.pages.files import read_files
from observability.pages.site import read_site
from observability.pages.vendor import FOLDER, File, Library, VendorFailed, bring, libraries, missing, taken

CONTENT = b'import { h } from "left";\n'


def made(folder: Path, content: bytes = CONTENT, source: str = "package/right.mjs") -> Path:
    """A package as npm would fetch it."""
    (folder / "right.mjs").write_bytes(content)
    tarball = folder / "right-1.0.0.tgz"
    with tarfile.open(tarball, "w:gz") as archive:
        archive.add(folder / "right.mjs", source)
    return tarball


def right(**changes: str) -> Library:
    sha256 = hashlib.sha256(CONTENT.replace(b'"left"', b'"./left.mjs"')).hexdigest()
    values = {"source": "package/right.mjs", "name": "right.mjs", "sha256": sha256} | changes
    file = File(rewrite={'"left"': '"./left.mjs"'}, **values)
    return Library(name="right", version="1.0.0", files=(file,))


def fake_npm(folder: Path, script: str) -> None:
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)


def test_what_lies_here_is_what_was_reviewed() -> None:
    """Every file of the list is there with its hash, with the licence of each library beside it."""
    assert missing(libraries()) == []
    for library in libraries():
        assert (FOLDER / f"{library.name}.LICENSE").exists()
    text = vendor.LIST.read_text()
    assert "://" not in text
    assert json.loads(text)["libraries"]


def test_names_of_packages_become_paths(tmp_path: Path) -> None:
    """A browser finds no packages by name: what a module imports is rewritten, and the hash is of what is served."""
    assert taken(right(), made(tmp_path)) == {"right.mjs": b'import { h } from "./left.mjs";\n'}


@pytest.mark.parametrize("changes", [{"sha256": "0" * 64}, {"source": "package/other.mjs"}])
def test_another_file_is_refused(tmp_path: Path, changes: dict[str, str]) -> None:
    """A file that is not the one that was reviewed is not taken, nor a package without it, nor what is no package."""
    with pytest.raises(VendorFailed, match=r"right 1\.0\.0"):
        taken(right(**changes), made(tmp_path))
    (tmp_path / "broken.tgz").write_bytes(b"not a package")
    with pytest.raises(VendorFailed, match="cannot be read"):
        taken(right(), tmp_path / "broken.tgz")


def test_what_is_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing or damaged is asked of npm, once, by exact version; its failure is told in its words."""
    tarball = made(tmp_path)
    fake_npm(tmp_path, f'echo "$@" >> {tmp_path}/asked; cp {tarball} "$4"')
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    place = tmp_path / "vendor"
    assert bring([right()], place) == ["right.mjs"]
    assert bring([right()], place) == []
    (place / "right.mjs").write_text("damaged")
    assert bring([right()], place) == ["right.mjs"]
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 2
    assert asked[0].startswith("pack right@1.0.0 --pack-destination ")
    fake_npm(tmp_path, "echo 'npm error network request failed' >&2; exit 1")
    (place / "right.mjs").unlink()
    with pytest.raises(VendorFailed, match="network request failed"):
        bring([right()], place)


def test_without_network_the_command_says_what_is_not_possible(tmp_path: Path) -> None:
    """Setting up goes on: the command's end is 1, and it names itself for later."""
    fake_npm(tmp_path, "echo 'npm error code ENOTFOUND' >&2; exit 1")
    code = "import sys; from pathlib import Path; from observability.pages import vendor; vendor.bring.__defaults__ = ("
    code += f"Path({str(tmp_path)!r}) / 'none',); sys.exit(vendor.main())"
    environ = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 1
    assert "ENOTFOUND" in done.stderr
    assert "python -m observability.pages.vendor" in done.stderr


def test_pages_without_libraries_say_which_command_brings_them(tmp_path: Path) -> None:
    """The pages' place is not empty then: a document without scripts names the command."""
    site = read_site(tmp_path)
    assert not site.is_whole
    document = bytes(site.document("bare", 503).body).decode()
    assert "python -m observability.pages.vendor" in document
    assert 'type="module"' not in document


def test_one_digest_stands_for_all_files(tmp_path: Path) -> None:
    """A change in any file is another address for all of them, since they name each other by relative paths."""
    for name, text in {"one.js": "1", "two.css": "2", "notes.txt": "no page's"}.items():
        (tmp_path / name).write_text(text)
    before = read_files({"": tmp_path})
    assert set(before.by_name) == {"one.js", "two.css"}
    (tmp_path / "notes.txt").write_text("other")
    assert read_files({"": tmp_path}).digest == before.digest
    (tmp_path / "two.css").write_text("3")
    assert read_files({"": tmp_path}).digest != before.digest
