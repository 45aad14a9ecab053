"""What a process of flows does with its memory."""

import platform
import subprocess
import sys

import pytest

COUNT_HEAPS = """
import ctypes, sys, threading
{first}
barrier = threading.Barrier(8)
def allocate():
    held = [b"x" * 10_000 for _ in range(100)]
    barrier.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, file)
libc.fflush(file)
"""


def count_heaps(first):
    done = subprocess.run([sys.executable, "-c", COUNT_HEAPS.format(first=first)], capture_output=True, check=True)
    return done.stdout.count(b"<heap ")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other heaps")
def test_all_threads_of_a_flow_allocate_from_one_heap():
    assert count_heaps("") > 1
    assert count_heaps("import flows") == 1
