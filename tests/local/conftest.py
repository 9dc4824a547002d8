from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.running import Running, serving

FUNCTIONS = """
version: 1
functions:
  echo: {handler: app.echo, code: code}
  count:
    handler: app.count
    code: code
    concurrency: 1
    aliases: {live: "7", old: 6}
  look:
    handler: app.look
    code: code
    memory: 1769
    timeout: 9s
    environment: {GREETING: hello}
    aliases: {live: "7"}
  fail: {handler: app.fail, code: code}
  speak: {handler: app.speak, code: code}
  sleep: {handler: app.sleep, code: code, timeout: 500ms, concurrency: 2}
  leave: {handler: app.leave, code: code}
  large: {handler: app.large, code: code, timeout: 20s}
  marshal: {handler: app.set_result, code: code}
  missing: {handler: nowhere.handler, code: code}
  broken: {handler: broken.handler, code: code}
  raises: {handler: raises.handler, code: code}
  unnamed: {handler: app.nobody, code: code}
  faulty: {handler: app.echo, code: code}
"""


@pytest.fixture(scope="session")
def lambda_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("functions"), FUNCTIONS) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
