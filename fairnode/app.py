"""The web application of one node: the three doors under one roof, and the server that opens them.

Nothing that came in may show a traceback or a path: every error leaves here as a page or as problem+json.
This process reaches neither the engine nor the data.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter
from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from fairnode import api, errors, fdp, pages
from fairnode.door.answer import NotWritable, WrongType, problem, with_headers
from fairnode.door.negotiate import NotOffered, choose
from fairnode.fdp import FdpDoor, sparql
from fairnode.metadata.plain import term_label
from fairnode.metadata.shelf import Shelf
from fairnode.node import Node
from fairnode.pages import records, words

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST_BODY = 2 * 1024 * 1024
LARGEST_DISCARDED = 256 * 1024 * 1024
LOG = logging.getLogger("fairnode.web")

_POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
_FROM_ELSEWHERE = "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match"
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def create_app(node: Node) -> Flask:
    """The application that answers for `node`."""
    app = Flask("fairnode", root_path=str(Path(__file__).parent))
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.jinja_env.filters.update(label=term_label, day=words.day, minute=words.minute)
    app.jinja_env.globals["organisation_name"] = node.config.organisation.name
    shelf = Shelf(node)
    app.register_blueprint(fdp.make_blueprint(FdpDoor(node, shelf, partial(records.render, shelf))))
    app.register_blueprint(sparql.make_blueprint(node))
    app.register_blueprint(api.make_blueprint(node, shelf))
    app.register_blueprint(pages.make_blueprint(node, shelf))
    app.register_error_handler(errors.FairnodeError, _told)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)
    app.before_request(_refuse_large)
    app.after_request(partial(_finish, node))
    app.wsgi_app = partial(_at_the_right_place, app.wsgi_app, urlsplit(node.iri).path)  # type: ignore[method-assign]
    return app


def _at_the_right_place(
    inner: WSGIApplication, prefix: str, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer below the path of the node's address, whether or not a proxy took it off before.

    `/catalog` (as the reference implementation spells it) means `/catalogue`.
    """
    path = environ.get("PATH_INFO", "")
    if prefix:
        environ["SCRIPT_NAME"] = prefix
        path = path[len(prefix) :] or "/" if path == prefix or path.startswith(f"{prefix}/") else path
    if path == "/catalog" or path.startswith("/catalog/"):
        path = f"/catalogue{path[len('/catalog') :]}"
    if path == "/page/catalog":
        path = "/page/catalogue"
    environ["PATH_INFO"] = path
    return inner(environ, start_response)


def _refuse_large() -> None:
    """Read a body that is too large to its end (up to a bound), keeping nothing, so that the refusal arrives.

    A server that closes with unread data makes the sender see a broken connection instead of the reason.
    """
    length = request.content_length or 0
    if length <= LARGEST_BODY:
        return
    left = min(length, LARGEST_DISCARDED)
    while left > 0 and (part := request.environ["wsgi.input"].read(min(left, 65536))):
        left -= len(part)
    raise RequestEntityTooLarge


def _finish(node: Node, response: Response) -> Response:
    """The headers of every answer."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if (request.content_length or 0) > LARGEST_BODY:
        response.headers["Connection"] = "close"
    if node.iri.startswith("https:"):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.blueprint in (None, "fdp", "sparql", "api") and "Cookie" not in response.vary:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "Link, ETag, Location"
        if request.method == "OPTIONS":
            if not response.content_length:
                del response.headers["Content-Type"]  # there is nothing in it
            response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET, HEAD")
            response.headers["Access-Control-Allow-Headers"] = _FROM_ELSEWHERE
            response.headers["Access-Control-Max-Age"] = "86400"
    return response


def _told(error: errors.FairnodeError) -> Response:
    """An error for people, as a page where the asker reads HTML, else as problem+json."""
    if error.http_status >= 500:
        LOG.error("%s %s: %s (%s)", request.method, request.path, error.what, error.internal)
    if not _wants_page():
        return problem(error)
    page = render_template("error.html", error=error)
    return with_headers(Response(page, error.http_status, mimetype="text/html"), error)


def _wants_page() -> bool:
    """Whether the asker reads HTML before anything else, and is not at a door for programs."""
    if request.path.startswith("/api/") or request.args.get("format") not in (None, "html"):
        return False
    try:
        wanted = choose(
            request.headers.get("Accept"), ["application/problem+json", "application/json", "text/html"]
        )
    except NotOffered:
        return False
    return wanted == "text/html"


def _http_error(error: HTTPException) -> Response:
    """An error that the framework raised, told as one of ours."""
    kinds: dict[int, type[errors.FairnodeError]] = {404: errors.NotFound, 405: NotWritable, 415: WrongType}
    told = kinds.get(error.code or 400, errors.FairnodeError)(_SENTENCES.get(error.code or 400, error.name))
    told.http_status = error.code or 400
    response = _told(told)
    for name, value in error.get_headers():
        if name in ("Allow", "Location", "Retry-After"):
            response.headers[name] = value
    valid = getattr(error, "valid_methods", None)
    if valid:
        response.headers["Allow"] = ", ".join(sorted(valid))
    return response


_SENTENCES = {
    400: "The request cannot be understood.",
    404: "There is nothing at this address.",
    405: "This cannot be done with what is at this address.",
    413: f"What was sent is larger than {LARGEST_BODY // 1024} KiB.",
}


def _bug(error: Exception) -> Response:
    """A mistake of ours: the log gets the traceback, the asker gets one sentence."""
    LOG.error("%s %s", request.method, request.path, exc_info=error)
    told = errors.FairnodeError(
        "Something went wrong inside this node.", to_do="Try again; if it stays, tell the node's operator."
    )
    told.http_status = 500
    return _told(told)


def make_server(node: Node) -> wsgi.Server:
    """The server, ready to be started; with TLS where the folder of keys holds `web.crt` and `web.key`."""
    server = wsgi.Server(
        (node.config.host, node.config.port),
        create_app(node),
        numthreads=8,
        request_queue_size=64,
        timeout=30,
        shutdown_timeout=5,
    )
    server.max_request_header_size = 32 * 1024
    server.server_name = "fairnode"
    certificate, key = node.config.keys / "web.crt", node.config.keys / "web.key"
    if certificate.exists() and key.exists():
        server.ssl_adapter = _tls(certificate, key)
    return server


def _tls(certificate: Path, key: Path) -> BuiltinSSLAdapter:
    """TLS 1.2 or newer with the node's certificate (a chain in PEM). Raises `Unavailable` when it does not fit."""
    try:
        adapter = BuiltinSSLAdapter(str(certificate), str(key))
    except (ssl.SSLError, OSError) as error:
        raise errors.Unavailable(
            "The node's certificate and key cannot be used.",
            to_do="Put a PEM chain and its key into the folder 'keys' as web.crt and web.key.",
            internal=str(error),
        ) from error
    adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
    return adapter


def serve(node: Node) -> None:
    """Answer until the process is told to end. Raises `Unavailable` when the address is taken."""
    server = make_server(node)
    try:
        server.prepare()
    except OSError as error:
        raise errors.Unavailable(
            f"Nothing can listen on {node.config.host}, port {node.config.port}.",
            to_do="Stop what listens there, or give the node another port in node.toml.",
            internal=str(error),
        ) from error
    try:
        server.serve()
    finally:
        server.stop()
