"""Arrays between inaccessible pages, and the ways in which a compiled model is run on them."""

import ctypes
import dataclasses
import itertools
import mmap
import typing

import numpy as np

POISON = 0x7FC5A5A5  # As float a quiet NaN.
PROT_NONE = 0

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


class GuardedArray:
    """Floats that end at an inaccessible page, or begin behind one; all else of theirs is poison.

    `shift` elements of slack lie between: every alignment of 4 bytes.
    """

    def __init__(self, shape, at_end, shift=0):
        count = int(np.prod(shape, dtype=np.int64))
        room = max(1, -(-4 * (count + shift) // mmap.PAGESIZE)) * mmap.PAGESIZE
        self._words = np.frombuffer(mmap.mmap(-1, room + 2 * mmap.PAGESIZE), np.uint32)
        self._words = self._words[mmap.PAGESIZE // 4:-mmap.PAGESIZE // 4]
        self._words[:] = POISON
        self._first = len(self._words) - count - shift if at_end else shift
        self._count = count
        self.array = self._words[self._first:self._first + count].view(np.float32).reshape(shape)
        for page in (-mmap.PAGESIZE, room):
            self._protect(page, mmap.PAGESIZE, PROT_NONE)

    def _protect(self, offset, size, protection):
        if _libc.mprotect(self._words.ctypes.data + offset, size, protection) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")

    def make_read_only(self):
        """From here on a write faults."""
        self._protect(0, self._words.nbytes, mmap.PROT_READ)

    def slack_is_untouched(self):
        return (np.all(self._words[:self._first] == POISON) and
                np.all(self._words[self._first + self._count:] == POISON))


@dataclasses.dataclass
class Setup:
    """How a model is run. The tensors' alignments differ from each other where shift is not 0."""
    at_end: bool
    shift: int
    threads: int
    arena_at_end: typing.Optional[bool]  # Of the caller's arena, guarded too; None: the library's.

    def shift_of(self, index):
        return (self.shift + 5 * index) % 16 if self.shift else 0


# Every pair of flush, threads and arena, then other alignments.
FEW_SETUPS = [
    Setup(True, 0, 1, None), Setup(False, 0, 2, None),
    Setup(False, 0, 1, True), Setup(True, 0, 2, True),
    Setup(True, 0, 1, False), Setup(False, 0, 2, False),
    Setup(False, 1, 2, True), Setup(False, 10, 1, None),
]
# Everything with everything.
ALL_SETUPS = [Setup(*values) for values in itertools.product(
    (True, False), range(16), (1, 2), (None, True, False))]
