"""axe-core, which finds what keeps a page from being usable: fetched from npm, not kept here."""

import shutil
import subprocess
import tarfile
from pathlib import Path

VERSION = "4.14.1"
_SCRIPT = "package/axe.min.js"


def axe_script(cache: Path) -> str | None:
    """Give the script, from a folder where it was kept, or else from npm; None without either."""
    kept = cache / f"axe-core-{VERSION}.min.js"
    if not kept.exists():
        packed = _pack(cache)
        if packed is None:
            return None
        with tarfile.open(packed) as archive:
            member = archive.extractfile(_SCRIPT)
            assert member is not None
            kept.write_bytes(member.read())
        packed.unlink()
    return kept.read_text(encoding="utf-8")


def _pack(folder: Path) -> Path | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "pack", "--silent", f"axe-core@{VERSION}"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    return folder / done.stdout.strip() if done.returncode == 0 else None
