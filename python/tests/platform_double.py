"""A double of the hosted platform: it answers in recorded shapes, and keeps what it was sent.

The statuses, the headers and the keys are those of recorded answers, and of the samples that are
published. Nothing in it is Guestlist's: no ETag, no Idempotency-Key, no Retry-After.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

APPLICATION = "575ec8687ae143cd83dc4a97"
USER = "575ed78e7ae143cd83dc4aab"
TOKEN = "the.platform.token"

HEADERS = {
    "Pragma": "no-cache",
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "1; mode=block",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Access-Control-Allow-Origin": "*",
    "Strict-Transport-Security": "max-age=31536000",
    "Server": "Losant API",
}


def user(**changes: Any) -> dict[str, Any]:
    """A user as the platform shows it: what was never set is left out."""
    path = f"/applications/{APPLICATION}/experience/users/{USER}"
    return {
        "email": "test@example.com",
        "lastName": "Tester",
        "applicationId": APPLICATION,
        "creationDate": "2017-06-15T18:55:48.371Z",
        "lastUpdated": "2017-06-15T18:55:48.371Z",
        "userTags": {},
        "passwordLastUpdated": "2017-06-15T18:55:48.372Z",
        "experienceUserId": USER,
        "id": USER,
        "experienceGroups": [],
        **changes,
        "_type": "experienceUser",
        "_links": {"self": {"href": path}},
    }


@dataclass
class Sent:
    """A request as it came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    # The port it came from: another one is another connection.
    peer: int


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    # Breaks the connection instead.
    silent: bool = False


class Double:
    """The double. `answers` are given first, one a request; then the ordinary ones."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.answers: list[Answer] = []
        self.users = [user()]
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def handle_one(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                url = urlsplit(self.path)
                query = parse_qsl(url.query, keep_blank_values=True)
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(length)
                peer = self.client_address[1]
                sent = Sent(self.command, url.path, query, headers, body, peer)
                double.sent.append(sent)
                answer = double.answers.pop(0) if double.answers else double.answer(sent)
                if answer.silent:
                    self.close_connection = True
                    return
                content = answer.body
                if not isinstance(content, bytes):
                    content = b"" if content is None else json.dumps(content).encode()
                self.send_response_only(answer.status)
                for name, value in {**HEADERS, **answer.headers}.items():
                    self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(content)))
                    if "Content-Type" not in answer.headers:
                        self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_one

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        # By default it looks only twice a second whether it is to stop.
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()

    def answer(self, sent: Sent) -> Answer:
        users = f"/applications/{APPLICATION}/experience/users"
        one = f"{users}/{USER}"
        if sent.path == "/auth/ssoDomain":
            return Answer(204)
        if sent.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"type": "Unauthorized", "message": "Invalid access token"})
        match sent.method, sent.path:
            case "GET", path if path == one:
                return Answer(200, self.users[0])
            case "PATCH", path if path == one:
                return Answer(200, {**self.users[0], **json.loads(sent.body)})
            case "DELETE", path if path == one:
                return Answer(200, {"success": True})
            case "GET", path if path == users:
                return Answer(200, self.page(dict(sent.query)))
            case "POST", path if path == users:
                made = {k: v for k, v in json.loads(sent.body).items() if k != "password"}
                return Answer(201, user(**made))
        return Answer(404, {"type": "NotFound", "message": "Experience user was not found"})

    def page(self, query: dict[str, str]) -> dict[str, Any]:
        page, size = int(query.get("page") or 0), int(query.get("perPage") or 100)
        items = self.users[page * size : (page + 1) * size]
        path = f"/applications/{APPLICATION}/experience/users"
        return {
            "count": len(items),
            "items": items,
            "applicationId": APPLICATION,
            "perPage": size,
            "page": page,
            "sortField": "email",
            "sortDirection": "asc",
            "totalCount": len(self.users),
            "_type": "experienceUsers",
            "_links": {"self": {"href": path}},
        }

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
