"""The statistics of bench/models.py: quantiles, and the interval of a median."""

import math
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from model_suite import timing  # noqa: E402


def coverage(count: int, k: int) -> float:
    """The chance that the true median lies between the k-th and the k-th from the end."""
    return 1 - 2 * sum(math.comb(count, below) for below in range(k)) / 2**count


class Quantile(unittest.TestCase):
    def test_is_linear_between_the_sorted_samples(self) -> None:
        self.assertEqual(timing.quantile([30, 10, 20], 0.5), 20)
        self.assertAlmostEqual(timing.quantile([30, 10, 20], 0.1), 12)
        self.assertEqual(timing.quantile([4, 1, 3, 2], 0.5), 2.5)
        self.assertEqual(timing.quantile([4, 1, 3, 2], 1), 4)
        self.assertEqual(timing.quantile([7], 0.9), 7)


class MedianInterval(unittest.TestCase):
    def test_is_the_narrowest_that_holds_95_percent(self) -> None:
        for count in range(6, 201):
            median, low, high = timing.median_interval(range(count, 0, -1))  # Each its own rank.
            self.assertEqual(median, (count + 1) / 2)
            self.assertEqual(low + high, count + 1, f"{count} samples: not symmetric")
            self.assertGreaterEqual(coverage(count, low), 0.95, f"{count} samples, from {low}")
            self.assertLess(coverage(count, low + 1), 0.95, f"{count} samples: too wide")

    def test_of_the_tables(self) -> None:
        """Known ranks: tables of the sign test."""
        self.assertEqual(timing.median_interval(range(1, 31)), (15.5, 10, 21))
        self.assertEqual(timing.median_interval(range(1, 41)), (20.5, 14, 27))

    def test_few_samples_give_the_whole_range(self) -> None:
        self.assertEqual(timing.median_interval([3, 1, 2]), (2, 1, 3))
        self.assertEqual(timing.median_interval([5]), (5, 5, 5))

    def test_an_outlier_moves_nothing(self) -> None:
        samples = [float(value) for value in range(1, 31)]
        self.assertEqual(timing.median_interval(samples[:-1] + [1e9]),
                         timing.median_interval(samples))


if __name__ == "__main__":
    unittest.main()
