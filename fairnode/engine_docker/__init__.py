"""The engine of `fairnode.engine` on Docker: the only package that speaks to it."""

from fairnode.engine_docker.engine import DockerEngine, DockerSettings

__all__ = ["DockerEngine", "DockerSettings"]
