#!/usr/bin/env python3
"""Checks that every relative link in the repository's Markdown names a file that is tracked."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")


def main():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    pages = [ROOT / name for name in listed if name.endswith(".md")]
    dead = []
    for page in pages:
        for number, line in enumerate(page.read_text().splitlines(), 1):
            for target in LINK.findall(line):
                if "://" not in target and not (page.parent / target).exists():
                    dead.append(f"{page.relative_to(ROOT)}:{number}: no such file: {target}")
    for problem in dead:
        print(problem, file=sys.stderr)
    sys.exit(1 if dead else 0)


if __name__ == "__main__":
    main()
