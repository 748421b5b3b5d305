"""`python -m tools.release`: make everything that is published with a version, in build/release; nothing is uploaded.

Wheel, source archive, Helm chart, bill of materials (CycloneDX) of the image's libraries, documentation, release notes
from CHANGELOG.md, and SHA256SUMS over all of it. Needs a clean checkout at a tag `v<version>`; not with `--snapshot`.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "release"
BIN = Path(sys.executable).parent
TAG = re.compile(r"v(\d+\.\d+\.\d+)")


def run(*command: str | Path) -> str:
    """Standard output of a command. Exits with its error where it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"release: {' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def tagged_version() -> str:
    """The version of the tag on this revision. Exits where there is none or a file differs from it."""
    if run("git", "status", "--porcelain", "--untracked-files=no"):
        sys.exit("release: there are changes that are not committed. Commit them, or use --snapshot.")
    for tag in run("git", "tag", "--points-at", "HEAD").splitlines():
        if found := TAG.fullmatch(tag):
            return found[1]
    sys.exit("release: this revision has no tag v<version>. Make one (git tag v0.2.0), or use --snapshot.")


def notes(changelog: str, version: str) -> str:
    """The section of this version, or what is not released yet; without its heading. Exits where it is empty."""
    sections: dict[str, str] = dict(re.findall(r"^## (\S+).*?\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL))
    text = sections.get(version, sections.get("Unreleased", "")).strip()
    if not text:
        sys.exit(f"release: CHANGELOG.md has no entry for {version} and nothing under Unreleased.")
    return text + "\n"


def build(version: str, out: Path, site: bool) -> None:
    """Write every file of the release into `out`, which is emptied first."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / "RELEASE_NOTES.md").write_text(notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version))
    run(BIN / "uv", "build", "--quiet", "--out-dir", out, ROOT)
    (out / ".gitignore").unlink(missing_ok=True)
    chart = re.sub(r"\.dev(\d+)\+", r"-dev.\1+", version)  # Helm wants a semantic version
    folder = ROOT / "deploy" / "helm" / "cityvitals"
    run(BIN / "helm", "package", folder, "--version", chart, "--app-version", version, "--destination", out)
    lock = ROOT / "deploy" / "requirements.lock"
    bill = out / f"cityvitals-{version}.cdx.json"
    run(BIN / "cyclonedx-py", "requirements", "--output-reproducible", "--output-file", bill, lock)
    if site:
        run(sys.executable, ROOT / "tools" / "site.py")
        _zip(ROOT / "build" / "site", out / f"cityvitals-{version}-documentation.zip")
    files = sorted(path for path in out.iterdir() if path.is_file())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in files]
    (out / "SHA256SUMS").write_text("\n".join(sums) + "\n")


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))


def main() -> None:
    """Make the release and list its files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshot", action="store_true", help="a development version, from any state of the checkout")
    parser.add_argument("--no-site", action="store_true", help="without the documentation")
    parser.add_argument("--out", type=Path, default=OUT, help="folder; it is emptied first")
    options = parser.parse_args()
    version = run(sys.executable, "-m", "setuptools_scm") if options.snapshot else tagged_version()
    build(version, options.out, site=not options.no_site)
    print(f"cityvitals {version}: {options.out}")
    for path in sorted(options.out.iterdir()):
        print(f"{path.stat().st_size / 1000:10,.0f} kB  {path.name}")


if __name__ == "__main__":
    main()
