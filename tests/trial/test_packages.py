"""What a reviewer wants to know of an image: the packages in it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs_docker


def test_the_packages_of_an_image_are_kept_and_shown(site):
    told = site.json("algorithm", "show", "counts")
    names = {(package["kind"], package["name"]) for package in told["packages"]}
    assert ("pypi", "duckdb") in names
    assert any(kind == "deb" for kind, _ in names)
    said = site.cli("algorithm", "show", "counts").stdout
    assert 'name = "counts"' in said
    assert "# identity: sha256:" in said
    assert "pypi duckdb" in said
