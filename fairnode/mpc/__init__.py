"""Multi-party computation: many nodes contribute, three or five compute, nothing small is ever opened.

The way of a number:

1. `dealing` at the input party: counts become shares, sealed to each compute party (P13).
2. `gateway` at the compute party's node: one listening port for all computations.
3. `transport`, `hello`: the parties of one run know each other by certificate and agree on everything.
4. `party` (the only module that loads MPyC): one process, one computation, one of the `programs`.
5. `openings`: the rule of what may be opened, and the output shares that only the recipient can join.

Security: semi-honest parties, honest majority (t = (m - 1) / 2 of m = 3 or 5). A lying input shifts a
result; more than t colluding compute parties open every input. Nothing outside `party` imports MPyC, so
the web process may use `dealing`, `programs`, `openings` and `gateway`.
"""

ENGINE = "fairnode-mpc/1"
"""Version of messages, dealing and engine; parties with another one refuse each other in the hello."""
