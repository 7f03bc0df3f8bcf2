"""A small S3 server over a folder: the real protocol for pyarrow's real client, and a count of the bytes it sent."""

from __future__ import annotations

import threading
import urllib.parse
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args: Any) -> None:
        pass

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self._object()

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        if "list-type" in query:
            self._list(urllib.parse.unquote(url.path).strip("/"), query)
        else:
            self._object()

    def _object(self) -> None:
        name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).strip("/")
        self.server.requests.append(f"{self.command} {name} {self.headers.get('Range', '')}".strip())
        file = self.server.root / name
        if "/" not in name:  # the bucket itself
            return self._answer(200 if file.is_dir() else 404, headers={"x-amz-bucket-region": "us-east-1"})
        if not file.is_file():
            return self._answer(404)
        size, start, end = file.stat().st_size, 0, file.stat().st_size
        if asked := self.headers.get("Range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(size, int(last) + 1 if last else size)
        headers = {"Last-Modified": formatdate(file.stat().st_mtime, usegmt=True), "ETag": '"0"'}
        if self.command == "HEAD":
            return self._answer(200, headers={**headers, "Content-Length": str(size)})
        with file.open("rb") as opened:
            opened.seek(start)
            body = opened.read(end - start)
        self.server.sent += len(body)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        self._answer(206 if asked else 200, body, headers)

    def _list(self, bucket: str, query: dict[str, str]) -> None:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        root = self.server.root / bucket
        keys = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
        contents, folders = [], set()
        for key in keys:
            if not key.startswith(prefix):
                continue
            rest = key[len(prefix) :]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.split(delimiter)[0] + delimiter)
            else:
                size = (root / key).stat().st_size
                contents.append(
                    f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                    f"<ETag>&quot;0&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
                )
        shared = "".join(f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>" for f in sorted(folders))
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(contents) + len(folders)}</KeyCount>"
            f"<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{''.join(contents)}{shared}</ListBucketResult>"
        ).encode()
        self._answer(200, body, {"Content-Type": "application/xml"})


class Server(ThreadingHTTPServer):
    """`root` holds a folder a bucket; `sent` counts object bytes, `requests` names what was asked."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root, self.sent, self.requests = root, 0, list[str]()


@contextmanager
def serving(root: Path, monkeypatch: Any) -> Any:
    """Run the server and point S3 clients of this process at it."""
    from yoto_video.pipeline import storage

    server = Server(root)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    storage._filesystem.cache_clear()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        storage._filesystem.cache_clear()
