#!/usr/bin/env python3
"""Whether there is a CUDA device, asked of the driver alone: before anything big is installed.

As a program: exit status 2 and the reason on stderr where there is none.
"""

import ctypes
import sys

MISSING = 2


def missing(libraries: tuple[str, ...] = ("libcuda.so.1", "libcuda.so")) -> str:
    """Why no CUDA device can be used; empty where one can."""
    driver = None
    for name in libraries:
        try:
            driver = ctypes.CDLL(name)
            break
        except OSError:
            continue
    if driver is None:
        return f"no NVIDIA driver: none of {', '.join(libraries)} opens"
    result = driver.cuInit(0)
    if result != 0:
        return f"the NVIDIA driver does not start: cuInit returns {result}"
    count = ctypes.c_int()
    result = driver.cuDeviceGetCount(ctypes.byref(count))
    if result != 0 or count.value == 0:
        return "the NVIDIA driver sees no device"
    return ""


def main() -> int:
    reason = missing()
    if not reason:
        return 0
    print(f"error: the GPU suite needs a CUDA device: {reason}", file=sys.stderr)
    return MISSING


if __name__ == "__main__":
    sys.exit(main())
