"""The visit itself: the harmonised view is made, the container runs shut in, its one file is quarantined.

Takes approved visits and leaves them quarantined (or failed). It never judges what came out. Each step may
be repeated after the process was killed: what is so is read from the row and from the engine.
"""
