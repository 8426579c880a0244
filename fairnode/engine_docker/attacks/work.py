"""What an honest program does: it must still work, or the sandbox is only loved by nobody."""

from __future__ import annotations

import asyncio
import concurrent.futures
import mmap
import multiprocessing
import sqlite3
import subprocess
import tempfile
import threading
from pathlib import Path

Outcome = tuple[bool, str]


def honest() -> Outcome:
    """Processes, threads, an event loop, a database, scratch files, mapped memory, other programs."""
    with multiprocessing.Pool(2) as pool:
        assert pool.map(abs, [-1, -2]) == [1, 2]
    with concurrent.futures.ProcessPoolExecutor(2) as executor:
        assert list(executor.map(abs, [-3])) == [3]
    lock, thread = threading.Lock(), threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert lock.acquire()
    assert asyncio.run(_waits()) == "waited"
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder, "x.db"))
        database.execute("CREATE TABLE t (a)")
        database.execute("INSERT INTO t VALUES (1)")
        database.commit()
        assert database.execute("SELECT sum(a) FROM t").fetchone() == (1,)
        database.close()
    mmap.mmap(-1, 4096).close()
    assert subprocess.run(["/bin/echo", "x"], check=True, capture_output=True).stdout == b"x\n"
    return True, "8 ways of working all work"


async def _waits() -> str:
    process = await asyncio.create_subprocess_exec("/bin/true")
    await process.wait()
    await asyncio.sleep(0)
    return "waited"


ATTACKS = {"honest": honest}
