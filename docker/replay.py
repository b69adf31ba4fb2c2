"""Carry out a Dockerfile's steps without a container engine: in folders, with chroot. For docker/check.sh; needs root.

It knows what the Dockerfiles here use: FROM ... AS, ARG, ENV, WORKDIR, COPY [--from], RUN, USER, VOLUME, ENTRYPOINT and
CMD. Any other instruction is an error, so nothing is skipped unseen. Every FROM stands for the same base folder.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Stage:
    """A build stage: its root folder and what the instructions have set so far."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": BASE_PATH})
    arguments: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)

    def inside(self, path: str) -> Path:
        """A path of the image, on this machine; relative ones start at the working directory."""
        return self.root / str(Path(self.workdir) / path).lstrip("/")


def read_instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Instruction and its text, comments dropped and continued lines joined."""
    lines = dockerfile.read_text(encoding="utf-8").splitlines()
    kept = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", kept)
    parted = (line.partition(" ") for line in joined.splitlines() if line)
    return [(word.upper(), rest.strip()) for word, _, rest in parted]


def replay(dockerfile: Path, *, context: Path, base: Path, work: Path, binds: list[str]) -> Stage:
    """Build every stage; the last one is the image."""
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for instruction, text in read_instructions(dockerfile):
        print(f"+ {instruction} {text}", flush=True)
        if instruction == "FROM":
            name = text.split()[2] if " AS " in text else f"stage{len(stages)}"
            stage = stages[name] = Stage(root=work / name)
            subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(stage.root)], check=True)
            continue
        if stage is None:
            raise ValueError(f"{dockerfile}: {instruction} before FROM")
        _carry_out(instruction, text, stage, stages, context, binds)
    if stage is None:
        raise ValueError(f"{dockerfile}: no FROM")
    return stage


def _carry_out(
    instruction: str, text: str, stage: Stage, stages: dict[str, Stage], context: Path, binds: list[str]
) -> None:
    match instruction:
        case "ARG":
            name, _, value = text.partition("=")
            stage.arguments[name] = value.strip('"')
        case "ENV":
            for name, value in re.findall(r'(\w+)="([^"]*)"', text):
                stage.environment[name] = value.replace("$PATH", stage.environment["PATH"])
        case "WORKDIR":
            stage.workdir = text
            stage.inside(".").mkdir(parents=True, exist_ok=True)
        case "COPY":
            _copy(shlex.split(text), stage, stages, context)
        case "RUN":
            enter(stage, ["/bin/sh", "-c", text], binds=binds, user="0:0", pip=True)
        case "USER":
            stage.user = text
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(text)
        case "VOLUME" | "CMD":
            pass
        case _:
            raise ValueError(f"{instruction} is not an instruction that this script carries out")


def _copy(words: list[str], stage: Stage, stages: dict[str, Stage], context: Path) -> None:
    source_root = context
    if words[0].startswith("--from="):
        source_root = stages[words.pop(0).removeprefix("--from=")].root
    *sources, target = words
    for source in sources:
        origin, destination = source_root / source.lstrip("/"), stage.inside(target)
        if origin.is_dir():
            shutil.copytree(origin, destination, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(origin, destination / origin.name if target.endswith("/") else destination)


def enter(
    stage: Stage, command: list[str], *, binds: list[str], user: str, pip: bool = False, read_only: bool = False
) -> None:
    """Run a command in the stage's root, in a mount namespace of its own.

    Parameters
    ----------
    binds
        ``HOST:INSIDE`` folders to mount.
    pip
        Hand on this machine's ``PIP_*`` variables.
    read_only
        Mount the root read-only, with a fresh /tmp, and cut the network off, as
        ``docker run --network none --read-only --tmpfs /tmp`` does.
    """
    root = stage.root
    steps = ["set -eu"]
    if read_only:
        steps += [f"mount --bind {root} {root}", f"mount -o remount,ro,bind {root}", f"mount -t tmpfs tmpfs {root}/tmp"]
    steps += [f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
    for bind in binds:
        host, _, inside = bind.partition(":")
        target = root / (inside or host).lstrip("/")
        if not target.exists():
            target.mkdir(parents=True) if Path(host).is_dir() else _touch(target)
        steps.append(f"mount --bind {shlex.quote(host)} {shlex.quote(str(target))}")
    environment = {**stage.environment, **stage.arguments}
    if pip:
        environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    inner = f"cd {shlex.quote(stage.workdir)} && exec {shlex.join(command)}"
    chroot = ["chroot", f"--userspec={user}", "--groups=", str(root), "/usr/bin/env", "-i"]
    chroot += [f"{name}={value}" for name, value in environment.items()] + ["/bin/sh", "-c", inner]
    namespaces = ["--mount", "--net"] if read_only else ["--mount"]
    subprocess.run(["unshare", *namespaces, "sh", "-c", "\n".join([*steps, f"exec {shlex.join(chroot)}"])], check=True)


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def main() -> None:
    """Build, then run the image's entry point on a data folder as its user."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dockerfile", type=Path)
    parser.add_argument("--context", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True, help="root folder that stands for the base image")
    parser.add_argument("--work", type=Path, required=True, help="empty folder for the stages")
    parser.add_argument("--build-bind", action="append", default=[], help="HOST[:INSIDE] folder or file for RUN steps")
    parser.add_argument("--data", type=Path, required=True, help="folder to mount at /data")
    parser.add_argument("arguments", nargs="+", help="for the entry point, one string per run")
    options = parser.parse_args()
    image = replay(
        options.dockerfile, context=options.context, base=options.base, work=options.work, binds=options.build_bind
    )
    for user in (image.user, "4242:4242"):
        for arguments in options.arguments:
            print(f"+ as {user}, root read-only, no network: {shlex.join(image.entrypoint)} {arguments}", flush=True)
            command = [*image.entrypoint, *shlex.split(arguments.replace("USER", user.partition(":")[0]))]
            enter(image, command, binds=[f"{options.data}:/data"], user=user, read_only=True)


if __name__ == "__main__":
    main()
