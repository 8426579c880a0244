"""Algorithms: what a manifest asks for, and what an image really is."""
