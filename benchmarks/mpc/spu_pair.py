"""SPU's fastest two-party PSI (RR22) between two processes: the receiver learns the common ids."""

import json
import multiprocessing
import random
import sys
import tempfile
import time
from pathlib import Path

import spu.libspu.link as link
import spu.psi as psi


def party(rank: int, addresses: list, files: list, queue: multiprocessing.Queue) -> None:
    description = link.Desc()
    description.recv_timeout_ms = 120_000
    for number, address in enumerate(addresses):
        description.add_party(str(number), address)
    connection = link.create_brpc(description, rank)
    config = psi.PsiExecuteConfig(
        protocol_conf=psi.PsiProtocolConfig(
            protocol=psi.PsiProtocol.PROTOCOL_RR22, receiver_rank=0, broadcast_result=False
        ),
        input_params=psi.InputParams(path=files[rank], selected_keys=["id"], keys_unique=True),
        output_params=psi.OutputParams(path=files[rank] + ".out", disable_alignment=True),
    )
    start = time.perf_counter()
    report = psi.psi_execute(config, connection)
    queue.put((rank, time.perf_counter() - start, report.intersection_count))
    connection.stop_link()


if __name__ == "__main__":
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for rank, first in enumerate((0, count // 2)):
            path = Path(folder, f"{rank}.csv")
            path.write_text("id\n" + "\n".join(f"{i:012d}" for i in range(first, first + count)) + "\n")
            files.append(str(path))
        base = random.randrange(12000, 30000)
        addresses = [f"127.0.0.1:{base}", f"127.0.0.1:{base + 1}"]
        queue = multiprocessing.Queue()
        both = [multiprocessing.Process(target=party, args=(r, addresses, files, queue)) for r in (0, 1)]
        for process in both:
            process.start()
        told = [queue.get(timeout=300) for _ in both]
        for process in both:
            process.join()
    assert any(size == count // 2 for _, _, size in told), told
    print(json.dumps({"seconds": max(seconds for _, seconds, _ in told)}))
