"""What scripts/gpu_kernels.py makes of ptxas's words and of launches."""

import dataclasses
import pathlib
import sys
import unittest
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

import gpu_kernels  # noqa: E402
from gpu_kernels import Assembled, Block, Launch  # noqa: E402

PRINTED = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'first' for 'sm_80'
ptxas info    : Function properties for first
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 72 registers, 1 barriers, 400 bytes cmem[0]
ptxas info    : Compiling entry function 'second' for 'sm_80'
ptxas info    : Function properties for second
    48 bytes stack frame, 40 bytes spill stores, 44 bytes spill loads
ptxas info    : Used 255 registers, 1 barriers, 2048 bytes smem, 400 bytes cmem[0]
"""
SM_80 = gpu_kernels.LIMITS["sm_80"]
SMALL = Assembled(registers=32, stack=0, spills=0, shared=0)


def launch(threads: int, shared: int = 0, blocks: int = 1) -> Launch:
    return Launch("kernel", (blocks, 1, 1), (threads, 1, 1), shared)


class ParsePtxas(unittest.TestCase):
    def test_finds_every_kernel(self) -> None:
        self.assertEqual(gpu_kernels.parse_ptxas(PRINTED),
                         {"first": Assembled(72, 0, 0, 0), "second": Assembled(255, 48, 84, 2048)})

    def test_silence_is_an_error(self) -> None:
        with self.assertRaisesRegex(ValueError, "nothing of the registers of 'first'"):
            gpu_kernels.parse_ptxas(PRINTED.replace("Used", "Wasted"))


class Occupancy(unittest.TestCase):
    """For 8.0, counted by hand."""

    def occupancy(self, launched: Launch, **code: int) -> float:
        return gpu_kernels.occupancy(launched, dataclasses.replace(SMALL, **code), SM_80)

    def test_registers_limit(self) -> None:
        self.assertEqual(self.occupancy(launch(256), registers=32), 1.0)
        self.assertEqual(self.occupancy(launch(256), registers=33), 0.75)  # 40 by rounding up.
        self.assertEqual(self.occupancy(launch(512), registers=72), 0.25)
        self.assertEqual(self.occupancy(launch(512), registers=129), 0)  # Such a launch fails.

    def test_shared_memory_limits(self) -> None:
        self.assertEqual(self.occupancy(launch(256, 40 << 10)), 0.5)  # Four of 41 KB.
        self.assertEqual(self.occupancy(launch(256, 41 << 10)), 0.375)

    def test_blocks_limit(self) -> None:
        self.assertEqual(self.occupancy(launch(32)), 0.5)

    def test_waves_are_of_the_whole_chip(self) -> None:
        self.assertEqual(gpu_kernels.waves(launch(256, blocks=8 * 108 * 3), SMALL, SM_80), 3)


class Faults(unittest.TestCase):
    def faults(self, launches: list[Launch], code: Assembled = SMALL, **facts: Any) -> list[str]:
        known = {"name": "b", "own_launches": 1, "output_blocks": 1} | facts
        return gpu_kernels.faults(Block(known, launches, {name: {"kernel": code}
                                                          for name in gpu_kernels.LIMITS}))

    def test_none(self) -> None:
        self.assertEqual(self.faults([launch(64, 48 << 10)]), [])

    def test_each_is_told(self) -> None:
        self.assertIn("expected 1 launches, got 2", self.faults([launch(64)] * 2)[0])
        self.assertIn("expected 2 blocks", self.faults([launch(64)], output_blocks=2)[0])
        self.assertIn("49153", self.faults([launch(64, (48 << 10) + 1)])[0])
        self.assertIn("no spills, got 8", self.faults([launch(64)],
                                                      dataclasses.replace(SMALL, spills=8))[0])
        self.assertIn("more than", self.faults([launch(512)],
                                               dataclasses.replace(SMALL, registers=129))[0])
        self.assertIn("not in the PTX", self.faults(
            [dataclasses.replace(launch(64), kernel="other")])[0])


if __name__ == "__main__":
    unittest.main()
