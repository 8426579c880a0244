"""What a hostile algorithm would try, as programs that run inside a container.

Standard library only, for any Python from 3.10 and any container system. The node's self-test runs the quiet
ones on its engine at every start; the suite in tests/hostile runs all. They travel as one file: see `pack`.
"""
