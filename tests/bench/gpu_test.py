"""What of the GPU suite needs no GPU: bench/gpu.py, its blocks, and the message where none is there."""

import io
import pathlib
import subprocess
import sys
import unittest
from contextlib import redirect_stderr
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import gpu  # noqa: E402
from model_suite import cuda_device, gpu_blocks  # noqa: E402
from model_suite.gpu_blocks import GpuBlock, Row  # noqa: E402

SMALL = GpuBlock("small", 4, 5, 2, 3, 3, 2, "relu6", "relu")


class Blocks(unittest.TestCase):
    def test_all_of_mobilenet_v1(self) -> None:
        blocks = gpu_blocks.read_blocks(ROOT / "bench" / "shapes" / "mobilenet_v1.csv")
        self.assertEqual(len(blocks), 13)
        self.assertEqual(blocks[1].shape, "112x112x64 > 128 k3 s2")
        stem, head = 112 * 112 * 27 * 32, 1024 * 1000
        self.assertEqual(sum(block.macs for block in blocks), 568_740_352 - stem - head)  # 569 M.

    def test_others_are_left_out(self) -> None:
        ghostnet = gpu_blocks.read_blocks(ROOT / "bench" / "shapes" / "ghostnet.csv")
        self.assertEqual({block.name[0] for block in ghostnet}, {"b"})
        with self.assertRaisesRegex(ValueError, "convnext_atto.csv: expected rows"):
            gpu_blocks.read_blocks(ROOT / "bench" / "shapes" / "convnext_atto.csv")

    def test_costs(self) -> None:
        self.assertEqual((SMALL.out_height, SMALL.out_width), (2, 3))
        self.assertEqual(SMALL.macs, 6 * 2 * (9 + 3))
        self.assertEqual(SMALL.least_bytes, 4 * (40 + 18 + 2 * 10 + 3 * 3))

    def test_parameters_are_the_same_every_time(self) -> None:
        first, second = SMALL.parameters(), SMALL.parameters()
        self.assertEqual({name: value.shape for name, value in first.items()},
                         {"depthwise.weight": (2, 1, 3, 3), "depthwise.bias": (2,),
                          "project.weight": (3, 2, 1, 1), "project.bias": (3,)})
        for name, value in first.items():
            self.assertTrue((value == second[name]).all())


class Samples(unittest.TestCase):
    def test_every_round_has_each_once_and_another_first(self) -> None:
        order: list[str] = []

        def sample(name: str) -> float:
            order.append(name)
            return len(order)

        samples = gpu.interleave(["a", "b", "c"], sample, 3)
        self.assertEqual("".join(order), "abcbcacab")
        self.assertEqual(samples["a"], [1, 6, 8])

    def test_ratios_are_paired(self) -> None:
        row = Row("small", SMALL.shape, "cudnn fp32")
        gpu_blocks.fill(row, SMALL, [2.0, 40.0, 6.0], [1.0, 20.0, 3.0])
        self.assertEqual((row.ratio, row.ratio_low, row.ratio_high), (2, 2, 2))
        self.assertEqual(row.median_us, 6)
        self.assertAlmostEqual(row.gflops, 2 * SMALL.macs / 6e-6 / 1e9)
        self.assertAlmostEqual(row.gigabytes, SMALL.least_bytes / 6e-6 / 1e9)

    def test_rounds_of_different_length_are_refused(self) -> None:
        with self.assertRaises(ValueError):
            gpu_blocks.fill(Row("", "", ""), SMALL, [1.0, 2.0], [1.0])

    def test_who_failed_is_below_the_table(self) -> None:
        timed = Row("small", SMALL.shape, "sepconv")
        gpu_blocks.fill(timed, SMALL, [2.0], None)
        text = gpu_blocks.markdown({"GPU": "Some"}, [timed, Row("small", "", "x", note="crashed")])
        self.assertTrue(text.startswith("- GPU: Some\n"))
        self.assertIn("| small: 4x5x2 > 3 k3 s2 | sepconv | 2.000 | 2.000 | 2.000 |  |", text)
        self.assertTrue(text.endswith("\n- small, x: not timed: crashed\n"))


class Head(unittest.TestCase):
    def test_fields_of_nvidia_smi_are_named(self) -> None:
        self.assertEqual(
            gpu.smi_text("NVIDIA X, 570.1, 210 MHz, 1593 MHz, 1980 MHz, 700.00 W, Enabled\n"),
            "name NVIDIA X, driver_version 570.1, clocks.sm 210 MHz, clocks.mem 1593 MHz, "
            "clocks.max.sm 1980 MHz, power.limit 700.00 W, persistence_mode Enabled")

    def test_too_few_rounds_are_refused(self) -> None:
        errors = io.StringIO()
        with mock.patch.object(sys, "argv", ["gpu.py", "--rounds", "29", "--build", "b"]):
            with redirect_stderr(errors), self.assertRaises(SystemExit):
                gpu.parse()
        self.assertIn("--rounds: expected at least 30, got 29", errors.getvalue())


class NoDevice(unittest.TestCase):
    def test_reason(self) -> None:
        self.assertEqual(cuda_device.missing(("libno_such_driver.so",)),
                         "no NVIDIA driver: none of libno_such_driver.so opens")

    @unittest.skipUnless(cuda_device.missing(), "here is a CUDA device")
    def test_suite_says_so_and_installs_nothing(self) -> None:
        result = subprocess.run([ROOT / "bench" / "run.sh", "--suite", "gpu"], capture_output=True,
                                text=True, check=False)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertEqual(result.stderr,
                         f"error: the GPU suite needs a CUDA device: {cuda_device.missing()}\n")


if __name__ == "__main__":
    unittest.main()
