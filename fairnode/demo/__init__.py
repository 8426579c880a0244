"""A whole network on one machine, on synthetic data: the real processes, the real engine, the whole story.

It uses what any node uses; nothing here is reachable by a demo only.
"""
