"""Requests and what they must get, where nothing more than the status and the headers matters."""

from __future__ import annotations

from tests.doors.conformance.point import Asked

TURTLE, JSON_LD, XML, NT, HTML = (
    *("text/turtle", "application/ld+json", "application/rdf+xml", "application/n-triples"),
    "text/html; charset=utf-8",
)
FULL, PAGED = "/dataset/full", "/catalogue/data/page/dataset"
PROBLEM = (("Content-Type", "application/problem+json"),)


def _accept(number: int, accept: str, kind: str, path: str = FULL) -> Asked:
    """What an Accept header gets; without a kind, nothing that it accepts is there."""
    told = (("Content-Type", kind),) if kind else PROBLEM
    return Asked(number, "GET", path, 200 if kind else 406, (("Accept", accept),), told=told)


ASKED = (
    *(
        _accept(2, accept, TURTLE, "/")
        for accept in ("*/*", "", "text/*", "*/*;q=0.1", "text/turtle, */*;q=0.1")
    ),
    *(_accept(15, accept, accept) for accept in (TURTLE, JSON_LD)),
    *(_accept(16, accept, accept) for accept in (XML, NT)),
    _accept(16, "text/html", HTML),
    _accept(17, "application/ld+json;q=1, text/turtle;q=.1", JSON_LD),
    _accept(17, "text/turtle;q=0.1, application/ld+json;q=0.9", JSON_LD),
    _accept(17, "text/turtle;q=0, application/n-triples;q=0.1", NT),
    _accept(17, "text/turtle;q=0, */*", JSON_LD),
    _accept(17, "text/turtle;q=0.000, application/rdf+xml;q=0.001", XML),
    _accept(17, "*/*;q=0", ""),
    _accept(17, "text/turtle;q=0", ""),
    *(
        _accept(17, accept, "")
        for accept in ("image/png", "application/trig", "application/pdf", "text/plain")
    ),
    *(_accept(17, accept, TURTLE) for accept in ("TEXT/TURTLE", "text/turtle ; q=0.5", ",,text/turtle,,")),
    _accept(18, "text/html, */*", HTML),
    _accept(18, "*/*, text/html", HTML),
    _accept(18, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
    _accept(18, "application/rdf+xml, */*", XML),
    _accept(18, "text/*, application/ld+json", JSON_LD),
    _accept(19, "text/turtle;charset=utf-8", TURTLE),
    _accept(19, "application/ld+json; charset=UTF-8; q=0.9, text/turtle;q=0.5", JSON_LD),
    _accept(19, 'application/ld+json;profile="http://www.w3.org/ns/json-ld#flattened"', JSON_LD),
    _accept(19, "text/html;level=1", HTML),
    Asked(20, "GET", f"{FULL}?format=exe", 406, told=PROBLEM),
    Asked(20, "GET", f"{FULL}?format=", 200, told=(("Content-Type", TURTLE),)),
    Asked(20, "GET", f"{FULL}?format=nt&format=ttl", 200, told=(("Content-Type", NT),)),
    Asked(20, "GET", "/?format=rdf", 200, told=(("Content-Type", XML),)),
    *(
        Asked(28, "GET", path, 404, told=PROBLEM)
        for path in (
            *("/nothing", "/dataset/nothing", "/catalogue/x", "/dataset/draft", "/distribution/draft"),
            *(
                "/dataset/draft/meta",
                "/dataset/draft/expanded",
                "/dataset/draft/csvw.json",
                "/sample/draft.csv",
            ),
            *("/dataset/draft/record/1", "/dataset/draft/linkset", "/dataset/draft/page/distribution"),
            *(
                "/dataset/..%2f..%2fetc%2fpasswd",
                "/static/../app.py",
                "/static/%2e%2e/app.py",
                "/.git/config",
            ),
            *(
                "/dataset/full%00",
                "/dataset/full%20",
                "/dataset/%c0%ae",
                "/dataset/%ff",
                "/dataset/%E2%98%83",
            ),
            *("/node.toml", "/node.db", "/keys/node.key", "/console", "/dataset/full;a=1", "/DATASET/full"),
            *(
                "/dataset/" + "a" * 9_000,
                "/catalogue/data/page/nothing",
                "/shapes/nothing",
                "/dataset/full/record/9",
            ),
        )
    ),
    Asked(28, "GET", "/" + "a" * 33_000, 414),
    Asked(28, "GET", "/dataset/%66ull", 200),
    Asked(28, "GET", f"{FULL}?" + "x=1&" * 2_000, 200),
    Asked(28, "GET", f"{FULL}/", 308),
    Asked(28, "GET", "/catalogue/data/", 308),
    Asked(28, "GET", "/catalogue", 308),
    Asked(28, "GET", FULL, 200, (("Range", "bytes=0-9"),)),
    *(
        Asked(29, method, path, 405, body=b"x", told=PROBLEM)
        for method, path in (
            *(
                ("PUT", "/"),
                ("DELETE", "/"),
                ("PATCH", "/"),
                ("PUT", "/catalogue/data"),
                ("DELETE", "/catalog/data"),
            ),
            *(
                ("POST", FULL),
                ("PATCH", FULL),
                ("PUT", "/distribution/full"),
                ("DELETE", "/distribution/full"),
            ),
            *(
                ("POST", "/catalog"),
                ("POST", "/distribution"),
                ("PUT", "/meta/state"),
                ("DELETE", "/organisation"),
            ),
            *(
                ("TRACE", "/"),
                ("PROPFIND", FULL),
                ("BREW", "/"),
                ("POST", "/openapi.json"),
                ("PUT", "/shapes/dataset"),
            ),
        )
    ),
    *(
        Asked(
            29, method, path, 401, (("Content-Type", kind),), b"x", (*PROBLEM, ("WWW-Authenticate", "Bearer"))
        )
        for method, path in (
            *(("POST", "/dataset"), ("POST", "/catalogue/data/dataset/"), ("PUT", FULL), ("DELETE", FULL)),
            *(("PUT", f"{FULL}/meta/state"), ("PUT", "/dataset/nothing"), ("DELETE", "/dataset/gone")),
        )
        for kind in ("text/turtle", "image/png")
    ),
    *(
        Asked(30, "GET", f"{PAGED}?{query}", 400, told=PROBLEM)
        for query in (
            "page=-1",
            "size=0",
            "size=-5",
            "page=x",
            "size=1e9",
            "page=%EF%BC%99",
            "page=1.5",
            "size=%00",
        )
    ),
    *(
        Asked(30, "POST", "/search", 400, (("Content-Type", "application/json"),), body, PROBLEM)
        for body in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"query": 1}',
            b'{"query": ""}',
            b'{"query": null}',
            b"[" * 90_000,
        )
    ),
    *(
        Asked(
            30,
            "POST",
            "/search",
            415,
            (("Content-Type", kind),),
            b"{}",
            (*PROBLEM, ("Accept-Post", "application/")),
        )
        for kind in ("text/plain", "application/xml", "multipart/form-data", "")
    ),
    Asked(30, "POST", "/search", 413, (("Content-Type", "application/json"),), b"x" * (3 << 20), PROBLEM),
    *(
        Asked(30, "GET", f"/sparql?query={query}", (400, 422))
        for query in ("", "x", "DROP%20ALL", "SELECT%20*")
    ),
    Asked(30, "POST", "/sparql", 415, (("Content-Type", "application/sparql-update"),), b"DROP ALL", PROBLEM),
    Asked(31, "GET", FULL, 406, (("Accept", "image/png"),), told=PROBLEM),
    Asked(33, "GET", FULL, 412, (("If-Match", '"other"'),)),
    Asked(
        34,
        "OPTIONS",
        FULL,
        200,
        (("Origin", "https://x.example"),),
        told=(("Access-Control-Allow-Origin", "*"),),
    ),
    Asked(48, "GET", "/spec", 200, told=(("Content-Type", TURTLE),)),
    *(Asked(48, "GET", f"/{kind}/spec", 200) for kind in ("catalog", "catalogue", "dataset", "distribution")),
    Asked(53, "GET", "/expanded", 200),
    Asked(53, "GET", "/meta", 200, told=(("Content-Type", "application/json"),)),
    Asked(53, "GET", "/search/filters", 200, told=(("Content-Type", "application/json"),)),
    Asked(53, "GET", "/health", 200, told=(("Content-Type", "application/json"),)),
    Asked(53, "GET", "/actuator/health", 200),
    Asked(53, "GET", "/actuator/info", 200),
    Asked(53, "GET", "/v3/api-docs", 308),
)
