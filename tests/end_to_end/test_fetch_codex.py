"""The script that fetches a codex: what it keeps of a package, and how it mends what is there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from places import REPOSITORY

FETCH = REPOSITORY / ".ci" / "fetch-codex"
INSIDE = Path("package/vendor/x86_64-unknown-linux-musl/bin")
HOST = "codex-code-mode-host"

Fetch = Callable[[], subprocess.CompletedProcess[str]]


def program(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """An npm that packs what lies in the directory `package` beside it; without that it has no network."""
    npm = tmp_path / "registry" / "npm"
    program(npm, f"echo asked >>'{npm.parent}/log'; tar -czf codex.tgz -C '{npm.parent}' package")
    program(npm.parent / INSIDE / "codex", "echo codex-cli 1.2.3")
    program(npm.parent / INSIDE / HOST, "exit 0")
    return npm.parent


@pytest.fixture
def cached(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "1.2.3"


@pytest.fixture
def fetch(registry: Path, cached: Path) -> Fetch:
    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [FETCH, "1.2.3", cached.parent],
            env={**os.environ, "PATH": f"{registry}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )

    return run


def asked(registry: Path) -> int:
    log = registry / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_all_programs_of_a_package_are_kept_beside_each_other(
    fetch: Fetch, registry: Path, cached: Path
) -> None:
    for _ in range(2):
        fetched = fetch()
        assert (fetched.returncode, fetched.stdout) == (0, f"{cached / 'codex'}\n"), fetched.stderr
    assert {path.name for path in cached.iterdir()} == {"codex", HOST, "programs"}
    assert os.access(cached / HOST, os.X_OK)
    assert asked(registry) == 1


def test_a_package_of_one_program_is_whole_without_another(
    fetch: Fetch, registry: Path, cached: Path
) -> None:
    (registry / INSIDE / HOST).unlink()
    assert [fetch().returncode, fetch().returncode] == [0, 0]
    assert {path.name for path in cached.iterdir()} == {"codex", "programs"}
    assert asked(registry) == 1


@pytest.mark.parametrize("lost", ["codex", HOST, "programs"])
def test_what_is_missing_is_fetched_again(fetch: Fetch, cached: Path, lost: str) -> None:
    fetch()
    (cached / lost).unlink()
    assert fetch().returncode == 0
    assert {path.name for path in cached.iterdir()} == {"codex", HOST, "programs"}


@pytest.mark.parametrize("instead", ["", "#!/bin/sh\necho codex-cli 1.2.2\n"], ids=["cut off", "another"])
def test_what_is_not_that_version_is_fetched_again(fetch: Fetch, cached: Path, instead: str) -> None:
    fetch()
    (cached / "codex").write_text(instead)
    assert fetch().returncode == 0
    assert "1.2.3" in (cached / "codex").read_text()


def test_without_the_registry_a_program_that_runs_is_taken_as_it_is(
    fetch: Fetch, registry: Path, cached: Path
) -> None:
    fetch()
    (cached / HOST).unlink()
    program(registry / "npm", "exit 1")
    fetched = fetch()
    assert (fetched.returncode, fetched.stdout) == (0, f"{cached / 'codex'}\n")
    assert "could not fetch what may be missing" in fetched.stderr


def test_without_the_registry_and_without_a_program_it_fails(
    fetch: Fetch, registry: Path, cached: Path
) -> None:
    program(registry / "npm", "exit 1")
    fetched = fetch()
    assert (fetched.returncode, fetched.stdout) == (1, "")
    assert not cached.exists()
