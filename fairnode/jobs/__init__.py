"""Work that needs heavy libraries, done in short-lived child processes.

Each module here is one job: a function `run(job) -> result` over JSON objects, started by
`fairnode.child.run_child`. The web and worker processes never import these modules, so neither of them
reaches duckdb, pyarrow, scipy, mpyc or pyshacl.
"""
