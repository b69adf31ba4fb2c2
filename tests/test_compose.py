"""docker/compose.yaml: locked down, and its commands work together. In containers docker/check.sh runs them."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml
from flight_lines import write_line
from labelled_spectra import make_model

from hsigeo.cli.main import cli
from hsigeo.model import write_model

FILE = Path(__file__).resolve().parents[1] / "docker" / "compose.yaml"
SERVICES: Mapping[str, Mapping[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]


def command_line(service: str) -> list[str]:
    """As the engine starts it, with the variables' defaults."""
    words = [*SERVICES[service]["entrypoint"], *SERVICES[service]["command"]]
    return [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in words]


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
class TestEachService:
    def test_has_no_rights_and_writes_nowhere_else(self, service: Mapping[str, Any]) -> None:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not service.get("privileged")
        assert not service["user"].endswith(("-0:0}", "-0}", "-root}"))

    def test_has_its_limits(self, service: Mapping[str, Any]) -> None:
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}

    def test_can_be_reached_by_the_others_only(self, service: Mapping[str, Any]) -> None:
        networks = yaml.safe_load(FILE.read_text(encoding="utf-8"))["networks"]

        assert "ports" not in service
        assert "network_mode" not in service
        assert [networks[name] for name in service["networks"]] == [{"internal": True}]


def test_only_the_run_may_write_into_the_folder() -> None:
    mounts = {name: [volume["read_only"] for volume in one.get("volumes", [])] for name, one in SERVICES.items()}

    assert mounts == {"scheduler": [], "worker": [True], "classify": [False]}


def test_a_run_is_not_repeated_and_the_others_come_back() -> None:
    assert {name: one["restart"] for name, one in SERVICES.items()} == {
        "scheduler": "unless-stopped",
        "worker": "unless-stopped",
        "classify": "no",
    }


@contextmanager
def running(folder: Path, commands: Sequence[Sequence[str]]) -> Iterator[None]:
    processes = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_until_healthy(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urlopen(address, timeout=4) as answer:
                assert answer.read() == b"ok"
                return
        except URLError:
            time.sleep(0.1)
    pytest.fail(f"nobody answers at {address}")


def free_ports(count: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def test_its_commands_make_the_maps_of_a_single_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_commands: Path
) -> None:
    (tmp_path / "lines").mkdir()
    for number in range(2):
        write_line(tmp_path / "lines", f"line_{number}", seed=number)
    write_model(make_model(), tmp_path / "model.safetensors")
    port, *health = free_ports(4)

    def local(service: str, health_port: str = "") -> list[str]:
        """The service's command on this machine, where its fixed ports may be taken."""
        words = command_line(service)
        for inside, outside in {"scheduler:8786": f"127.0.0.1:{port}", ":8787": f"127.0.0.1:{health_port}"}.items():
            words = [word.replace(inside, outside) for word in words]
        program = {"dask": [sys.executable, "-m", "dask"], "hsigeo": [str(warm_commands / "hsigeo")]}[words[0]]
        return [*program, *(port if word == "8786" else word for word in words[1:])]

    services = [local("scheduler", health[0]), local("worker", health[1]), local("worker", health[2])]
    with running(tmp_path, services):
        for one in health:
            wait_until_healthy(f"http://127.0.0.1:{one}/health")
        done = subprocess.run(local("classify"), cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    cli.main(["classify", "lines", "--model", "model.safetensors", "--output-dir", "alone"], standalone_mode=False)

    maps = sorted((tmp_path / "maps").glob("*_map.tif"))
    assert len(maps) == 2
    assert [path.read_bytes() for path in maps] == [(tmp_path / "alone" / path.name).read_bytes() for path in maps]


def test_health_is_asked_for_where_it_is_answered() -> None:
    for name in ("scheduler", "worker"):
        assert "http://127.0.0.1:8787/health" in SERVICES[name]["healthcheck"]["test"][-1]
        assert command_line(name)[command_line(name).index("--dashboard-address") + 1] == ":8787"
