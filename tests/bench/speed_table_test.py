"""README's tables of speed from result files: scripts/speed_table.py."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

import speed_table  # noqa: E402

MODELS = """\
# CPU: Some
# date: today
# command: bench/run.sh
# ISA of sepconv: avx512; the peers choose for themselves
# threads: {threads}, on processors 0
# peak: 100 GFLOP/s
model,contender,median_ms,ratio,ratio_low,ratio_high,percent_of_peak,note
net,sepconv,{ours},,,,80.0,
net,slow,9.0,4.5,4.4,4.6,20.0,
net,fast,3.0,1.5,1.4,1.6,50.0,
net,broken,,,,,,"crashed"
"""
BLOCKS = """\
# CPU: Some
# date: today
# command: sepconv_bench
# ISA: avx2
# threads: 1, on processors 0
# peak: 100 GFLOP/s
table,block,shape,median_us,percent_of_peak,A_ratio,A_ratio_high,B_ratio,B_ratio_high,best_peer
one,x,pointwise,10,50,2.0,2.1,4.0,4.1,A
one,y,pointwise,10,50,0.9,0.95,0.5,0.6,B
one,total,2 blocks of one,20,50.00,1.45,1.45,2.25,2.25,A
two,z,pointwise,10,50,0.98,1.02,,,A
two,total,1 blocks of two,10,50.00,0.98,0.98,,,A
"""


class SpeedTable(unittest.TestCase):
    def section(self, **files: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                (pathlib.Path(folder) / f"{name}.csv").write_text(text, encoding="utf-8")
            return speed_table.section(pathlib.Path(folder))

    def test_models_of_one_and_two_threads_share_a_line(self) -> None:
        text = self.section(a=MODELS.format(threads=2, ours=1.5),
                            b=MODELS.format(threads=1, ours=2.0))
        best = "fast 1.500 (1.400 to 1.600)"
        self.assertIn(f"| net | 2.00 | 80.0 | {best} | 1.50 | 80.0 | {best} |\n", text)
        self.assertIn("| model | avx512, 1 thread: ms |", text)
        self.assertIn("- avx512, 2 threads: today, `bench/run.sh`, peak 100 GFLOP/s; "
                      "[numbers](bench/results/a.csv)\n", text)
        self.assertEqual(text.count("- not timed: broken, crashed: net\n"), 1)

    def test_blocks_become_a_line_per_network(self) -> None:
        text = self.section(blocks=BLOCKS)
        self.assertIn("| one | avx2, 1 thread | 2 | 20 | 50.0 | A 1.450 | 1.000 | 1 | y |\n", text)
        self.assertIn("| two | avx2, 1 thread | 1 | 10 | 50.0 | A 0.980 | 0.980 | 1 | none |\n",
                      text)
        self.assertIn("| **all** | avx2, 1 thread | 3 |  |  |  | **0.993** of 3 rows | 2 |  |\n",
                      text)

    def test_blocks_without_peers(self) -> None:
        alone = "\n".join(line.rsplit(",", 1)[0] + "," if line[:4] in ("one,", "two,") else line
                          for line in BLOCKS.splitlines())
        self.assertIn("| two | avx2, 1 thread | 1 | 10 | 50.0 | - | - | - | - |\n",
                      self.section(blocks=alone))

    def test_two_files_of_one_setting_are_refused(self) -> None:
        with self.assertRaisesRegex(SystemExit, "a.csv, b.csv: both are avx2, 1 thread on Some"):
            self.section(a=BLOCKS, b=BLOCKS)

    def test_a_file_of_something_else_is_refused(self) -> None:
        with self.assertRaisesRegex(SystemExit, "a.csv: expected .* missing: command, peak"):
            self.section(a="# CPU: Some\n# date: today\n# threads: 1\ntable,block\none,x\n")


if __name__ == "__main__":
    unittest.main()
