"""Limits of blocks and what is said of them: bench/model_suite/limits.py."""

import pathlib
import sys
import unittest
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from model_suite import limits  # noqa: E402

SQUEEZED = (  # As the tool describes a kernel.
    "block 28x28x40@1120,40,1p expand 40>120 k1x1 s1x1 d1x1 p0,0,0,0 [relu 0x0p+0 0x0p+0] "
    "depthwise 120*1 k5x5 s2x2 d1x1 p2,2,2,2 [relu 0x0p+0 0x0p+0, add scalar 0x1p+0 0x0p+0] "
    "reduce 120>32 k1x1 s1x1 d1x1 p0,0,0,0 [relu 0x0p+0 0x0p+0] "
    "excite 32>120 k1x1 s1x1 d1x1 p0,0,0,0 [hard_sigmoid 0x1.555556p-3 0x1p-1] "
    "project 120>40 k1x1 s1x1 d1x1 p0,0,0,0 [add tensor 0x0p+0 0x0p+0] "
    "> 14x14x40@560,40,1p with 14x14x40@560,40,1p")
POINTWISE = ("block 7x7x160@1120,160,1p project 160>960 k1x1 s1x1 d1x1 p0,0,0,0 [] "
             "> 7x7x960@6720,960,1p")


def block(text: str, **fields: Any) -> limits.Block:
    row = {"kind": "some", "shape": "1x2 > 1x2", "kernel_text": text, "macs": 0, "parameters": 0,
           "bytes_read": 0, "bytes_written": 0}
    return limits.block_of(row | fields)


class BlockOf(unittest.TestCase):
    def test_stages_have_the_macs_of_the_shapes(self) -> None:
        stages = block(SQUEEZED).stages
        self.assertEqual([stage.name for stage in stages],
                         ["expand", "depthwise", "reduce", "excite", "project"])
        self.assertEqual([stage.macs for stage in stages],
                         [28 * 28 * 40 * 120, 14 * 14 * 120 * 25, 120 * 32, 32 * 120,
                          14 * 14 * 120 * 40])
        self.assertEqual([stage.steps for stage in stages], [1, 2, 1, 1, 1])

    def test_a_stem_steps_before_the_depthwise(self) -> None:
        stem = block("block 8x8x3@8,1,64 expand 3>16 k3x3 s2x2 d1x1 p0,0,1,1 [] depthwise 16*1 "
                     "k5x5 s1x1 d1x1 p2,2,2,2 [] project 16>8 k1x1 s1x1 d1x1 p0,0,0,0 [] "
                     "> 4x4x8@32,8,1p")
        self.assertEqual([stage.macs for stage in stem.stages],
                         [4 * 4 * 16 * 27, 4 * 4 * 16 * 25, 4 * 4 * 16 * 8])
        self.assertEqual(stem.border, 1)
        self.assertAlmostEqual(stem.stages[0].border, 1 - (3 / 4) ** 2)
        self.assertEqual(stem.shape, "8x8x3 > 16 > 8 k3 s2 k5 s1")

    def test_shape_reads_as_in_the_tables_of_blocks(self) -> None:
        self.assertEqual(block(SQUEEZED).shape, "28x28x40 > 120 > 40 k5 s2 se32 +")
        self.assertEqual(block(POINTWISE).shape, "7x7x160 > 960 k1 s1")

    def test_border_counts_windows_over_the_edge(self) -> None:
        # From -2, 0, ... 24 on, five wide, in 28: only the first and the last reach over.
        self.assertAlmostEqual(block(SQUEEZED).border, 1 - (12 / 14) ** 2)
        # From -2, 2, ... 26 on, four wide.
        self.assertAlmostEqual(block("block 28x28x8@224,8,1p depthwise 8*1 k4x4 s4x4 d1x1 p2,2,2,2 "
                                     "[] > 8x8x8@64,8,1p").border, 1 - (6 / 8) ** 2)
        # Taps two apart: nine wide.
        self.assertAlmostEqual(block("block 28x28x8@224,8,1p depthwise 8*1 k5x5 s1x1 d2x2 p4,4,4,4 "
                                     "[] > 28x28x8@224,8,1p").border, 1 - (20 / 28) ** 2)
        self.assertEqual(block(POINTWISE).border, 0)

    def test_others_keep_the_tools_shape(self) -> None:
        pool = block("pool average 7x7x960@6720,960,1p k7x7 s1x1 d1x1 p0,0,0,0 [] > 1x1x960@960,1",
                     bytes_read=188160, bytes_written=3840)
        self.assertEqual((pool.shape, pool.stages, pool.bytes), ("1x2 > 1x2", (), 192000))


def line(text: str, time: float, gflops: float = 100, bandwidth: float = 1e9,
         **fields: Any) -> limits.Line:
    machine = limits.Machine(gflops, lambda size: bandwidth)
    return limits.line(0, block(text, **fields), (time, time, time), machine, 1)


class Limits(unittest.TestCase):
    def test_the_larger_of_both_counts(self) -> None:
        computed = line(POINTWISE, 30, macs=1_000_000, bytes_read=4000, bytes_written=1000)
        self.assertAlmostEqual(computed.fma, 20)    # 2 M operations at 100 G a second.
        self.assertAlmostEqual(computed.memory, 5)  # 5 kB at 1 GB a second.
        self.assertAlmostEqual(computed.limit, 20)
        self.assertAlmostEqual(computed.excess, 10)
        moved = line(POINTWISE, 60, macs=1_000_000, bytes_read=40000, bytes_written=10000)
        self.assertAlmostEqual(moved.limit, 50)

    def test_worst_are_those_with_most_time_above(self) -> None:
        lines = [line(POINTWISE, time, macs=1_000_000) for time in (21, 50, 20, 30, 40)]
        self.assertEqual([entry.time for entry in limits.worst(lines)], [50, 40, 30])


class Explain(unittest.TestCase):
    def test_names_what_bounds_it(self) -> None:
        self.assertIn("bound by the FMA units (67 % of peak)",
                      limits.explain(line(POINTWISE, 30, macs=1_000_000)))
        self.assertIn("bound by memory (2 GB/s of its 4)",
                      limits.explain(line(POINTWISE, 100, bandwidth=4e9, bytes_read=200_000)))

    def test_says_only_what_the_numbers_say(self) -> None:
        self.assertIn("nothing else in these numbers",
                      limits.explain(line(POINTWISE, 30, macs=1_000_000)))

    def test_weights_count_where_they_take_long_to_come(self) -> None:
        few = limits.explain(line(POINTWISE, 30, macs=1_000_000, parameters=100))
        many = limits.explain(line(POINTWISE, 30, macs=1_000_000, parameters=1000))
        self.assertNotIn("weights", few)
        self.assertIn("weights were last read one run before and take up to 4 us", many)

    def test_shapes_speak(self) -> None:
        depthwise = limits.explain(line(
            "block 7x7x20@140,20,1p depthwise 20*1 k5x5 s1x1 d1x1 p2,2,2,2 [relu 0x0p+0 0x0p+0] "
            "project 20>24 k1x1 s1x1 d1x1 p0,0,0,0 [] > 7x7x24@168,24,1p", 30,
            macs=49 * 20 * (25 + 24)))
        self.assertIn("51 % of the MACs are depthwise", depthwise)
        self.assertIn("82 % of the windows reach over the edge", depthwise)
        self.assertIn("sums of only 20 products", depthwise)
        self.assertIn("up to 32 % of the lanes are idle", depthwise)


if __name__ == "__main__":
    unittest.main()
