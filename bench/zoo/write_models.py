#!/usr/bin/env python3
"""Writes architectures as ONNX files with random weights: FOLDER/NAME.onnx.

Each file has the input "input", 1x3x224x224, and the output "logits", 1x1000; the same bytes every
time. Needs numpy and onnx.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import zoo  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FOLDER")
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"{', '.join(zoo.NAMES)}; default: all")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(zoo.NAMES))
    if unknown:
        parser.error(f"no such network: {', '.join(unknown)}; there are {', '.join(zoo.NAMES)}")
    for name in arguments.names or zoo.NAMES:
        try:
            network = zoo.write(name, arguments.output)
        except ValueError as error:
            sys.exit(f"error: {error}")
        print(f"{name}: {network.macs / 1e6:.1f} M multiply-accumulates, "
              f"{network.parameters / 1e6:.3f} M parameters")


if __name__ == "__main__":
    main()
