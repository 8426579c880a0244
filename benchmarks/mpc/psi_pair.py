"""openmined-psi, size of the intersection of two lists, both sides in this process: size, seconds, CPU."""

import json
import sys
import time

import private_set_intersection.python as psi

count = int(sys.argv[1])
ours = [f"{i:012d}" for i in range(count)]
theirs = [f"{i:012d}" for i in range(count // 2, count + count // 2)]
start, used = time.perf_counter(), time.process_time()
client, server = psi.client.CreateWithNewKey(False), psi.server.CreateWithNewKey(False)
setup = server.CreateSetupMessage(1e-9, count, theirs, psi.DataStructure.RAW)
request = client.CreateRequest(ours)
size = client.GetIntersectionSize(setup, server.ProcessRequest(request))
seconds, cpu = time.perf_counter() - start, time.process_time() - used
assert abs(size - count // 2) <= 1
print(json.dumps({"seconds": seconds, "cpu": cpu}))
