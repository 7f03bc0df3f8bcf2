"""A small S3 server over a folder: the real protocol for pyarrow's real client, with a count of what it sent.

Reads by range, lists page by page, takes whole and multi-part uploads, copies and deletes. Objects appear whole or not
at all, as in S3. It can fail a share of all requests, by an answer of 503 or by hanging up, half of them after the work
was done.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import threading
import urllib.parse
import xml.etree.ElementTree
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_S3 = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_PAGE = 1000  # keys of a listing, as S3 has it


class _HangUpError(Exception):
    """The connection is to be closed without an answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *args: Any) -> None:
        pass

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (_HangUpError, ConnectionError):
            self.close_connection = True

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        if self.server.fails():
            if self.server.chance.random() < 0.5:
                raise _HangUpError
            status, body, headers = 503, f"{_XML}<Error><Code>SlowDown</Code></Error>".encode(), None
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self) -> tuple[str, dict[str, str], bytes]:
        """Bucket and key, query, and what was sent along."""
        url = urllib.parse.urlsplit(self.path)
        name = urllib.parse.unquote(url.path).lstrip("/")
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        body = self._body()
        self.server.requests.append(f"{self.command} {name} {self.headers.get('Range', '')}".strip())
        if "AWS4-HMAC-SHA256" not in self.headers.get("Authorization", ""):
            self.server.unsigned += 1
        if self.server.fails():
            self._answer(503, f"{_XML}<Error><Code>SlowDown</Code></Error>".encode())
            raise _HangUpError
        return name, query, body

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        else:
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return data
        plain, rest = b"", data
        while rest:  # size[;signature] CRLF data CRLF, trailers at the end
            head, _, rest = rest.partition(b"\r\n")
            size = int(head.split(b";")[0], 16)
            if not size:
                break
            plain, rest = plain + rest[:size], rest[size + 2 :]
        return plain

    def do_HEAD(self) -> None:
        name, _, _ = self._begin()
        self._object(name)

    def do_GET(self) -> None:
        name, query, _ = self._begin()
        if "list-type" in query:
            self._list(name.strip("/"), query)
        else:
            self._object(name)

    def do_PUT(self) -> None:
        name, query, body = self._begin()
        if "uploadId" in query:
            self.server.uploads[query["uploadId"]][int(query["partNumber"])] = body
        elif source := self.headers.get("x-amz-copy-source"):
            self.server.write(name, (self.server.root / urllib.parse.unquote(source).lstrip("/")).read_bytes())
            body = f'{_XML}<CopyObjectResult {_S3}><ETag>"0"</ETag></CopyObjectResult>'.encode()
            return self._answer(200, body)
        else:
            self.server.write(name, body)
        self._answer(200, headers={"ETag": '"0"'})

    def do_POST(self) -> None:
        name, query, body = self._begin()
        bucket, _, key = name.partition("/")
        if "uploads" in query:
            upload = f"u{next(self.server.numbers)}"
            self.server.uploads[upload] = {}
            inner = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><UploadId>{upload}</UploadId>"
            return self._xml(f"<InitiateMultipartUploadResult {_S3}>{inner}</InitiateMultipartUploadResult>")
        if "uploadId" in query:
            parts = self.server.uploads.get(query["uploadId"], {})
            self.server.write(name, b"".join(parts[number] for number in sorted(parts)))
            inner = f'<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><ETag>"0"</ETag>'
            return self._xml(f"<CompleteMultipartUploadResult {_S3}>{inner}</CompleteMultipartUploadResult>")
        if "delete" in query:
            keys = [e.text or "" for e in xml.etree.ElementTree.fromstring(body).iter() if e.tag.endswith("Key")]
            for each in keys:
                self.server.remove(f"{bucket}/{each}")
            return self._xml(f"<DeleteResult {_S3}></DeleteResult>")
        self._answer(400)

    def do_DELETE(self) -> None:
        name, query, _ = self._begin()
        if "uploadId" in query:
            self.server.uploads.pop(query["uploadId"], None)
        else:
            self.server.remove(name)
        self._answer(204)

    def _xml(self, text: str) -> None:
        self._answer(200, (_XML + text).encode(), {"Content-Type": "application/xml"})

    def _object(self, name: str) -> None:
        if self.server.refuses:
            return self._answer(403, f"{_XML}<Error><Code>AccessDenied</Code></Error>".encode())
        file = self.server.root / name
        if "/" not in name.rstrip("/"):  # the bucket itself
            return self._answer(200 if file.is_dir() else 404, headers={"x-amz-bucket-region": "us-east-1"})
        try:
            with file.open("rb") as opened:
                found = os.fstat(opened.fileno())
                size, start, end = found.st_size, 0, found.st_size
                if asked := self.headers.get("Range"):
                    first, _, last = asked.removeprefix("bytes=").partition("-")
                    start, end = int(first), min(size, int(last) + 1 if last else size)
                headers = {"Last-Modified": formatdate(found.st_mtime, usegmt=True), "ETag": _tag(found)}
                if self.command == "HEAD":
                    return self._answer(200, headers={**headers, "Content-Length": str(size)})
                opened.seek(start)
                body = opened.read(end - start)
        except (OSError, ValueError):
            return self._answer(404)
        self.server.sent += len(body)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        self._answer(206 if asked else 200, body, headers)

    def _list(self, bucket: str, query: dict[str, str]) -> None:
        if self.server.refuses:
            return self._answer(403, f"{_XML}<Error><Code>AccessDenied</Code></Error>".encode())
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after") or ""
        most = min(_PAGE, int(query.get("max-keys") or _PAGE))
        contents, folders, last, cut = [], dict[str, None](), "", False
        for key, size, modified in self.server.keys(bucket, prefix, after):
            rest = key[len(prefix) :]
            shared = prefix + rest.split(delimiter)[0] + delimiter if delimiter and delimiter in rest else ""
            if shared and (shared in folders or after.startswith(shared)):
                last = key
                continue
            if len(contents) + len(folders) >= most:
                cut = True
                break
            last = key
            if shared:
                folders[shared] = None
                continue
            when = formatdate(modified, usegmt=True) if modified else ""
            stamp = _iso(modified) if when else "2026-01-01T00:00:00.000Z"
            contents.append(
                f"<Contents><Key>{escape(key)}</Key><LastModified>{stamp}</LastModified>"
                f"<ETag>&quot;0&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            )
        shared_xml = "".join(f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>" for f in folders)
        more = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if cut else ""
        self._xml(
            f"<ListBucketResult {_S3}><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<KeyCount>{len(contents) + len(folders)}</KeyCount><MaxKeys>{most}</MaxKeys>"
            f"<IsTruncated>{str(cut).lower()}</IsTruncated>{more}{''.join(contents)}{shared_xml}</ListBucketResult>"
        )


def _tag(found: os.stat_result) -> str:
    """Another one whenever an object is written, as of a real store."""
    return f'"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"'


def _iso(modified: float) -> str:
    import datetime

    return f"{datetime.datetime.fromtimestamp(int(modified), datetime.UTC):%Y-%m-%dT%H:%M:%S}.000Z"


class Server(ThreadingHTTPServer):
    """`root` holds a folder a bucket.

    Attributes:
        sent: object bytes; requests: what was asked; unsigned: how many came without a signature.
        failing: share of the requests that fail; refuses: all reading is forbidden.
        made_up: keys of a bucket that no folder has, sorted, to be listed only.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root, self.sent, self.unsigned, self.requests = root, 0, 0, list[str]()
        self.failing, self.failed, self.refuses, self.chance = 0.0, 0, False, random.Random(0)
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.numbers = itertools.count()
        self.made_up: dict[str, list[str]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fails(self) -> bool:
        """Whether this half of a request fails."""
        if self.chance.random() >= self.failing / 2:
            return False
        self.failed += 1
        return True

    def handle_error(self, *_: Any) -> None:
        pass  # clients that were killed

    def write(self, name: str, content: bytes) -> None:
        """An object, whole at once; a key that ends with a slash is a folder's marker."""
        if name.endswith("/"):
            return (self.root / name).mkdir(parents=True, exist_ok=True)
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = self.root / f".incoming-{next(self.numbers)}"
        aside.write_bytes(content)
        aside.replace(file)

    def remove(self, name: str) -> None:
        """An object; one that is not there is no mistake."""
        file = self.root / name
        if file.is_dir():
            if not any(file.iterdir()):
                shutil.rmtree(file, ignore_errors=True)
        else:
            file.unlink(missing_ok=True)

    def keys(self, bucket: str, prefix: str, after: str) -> Iterator[tuple[str, int, float]]:
        """Keys with this beginning that come after `after`, sorted, with size and time."""
        if bucket in self.made_up:
            keys = self.made_up[bucket]
            for i in range(bisect_right(keys, max(after, prefix[:-1])), len(keys)):
                if keys[i].startswith(prefix):
                    yield keys[i], 1000, 0.0
                elif keys[i] > prefix:
                    return
            return
        root, found = self.root / bucket, []
        for folder, _, names in os.walk(root / prefix.rpartition("/")[0]):
            found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
        for key in sorted(found):
            if key.startswith(prefix) and key > after:
                try:
                    stat = (root / key).stat()
                except OSError:
                    continue  # removed meanwhile
                yield key, stat.st_size, stat.st_mtime


@contextmanager
def started(root: Path) -> Iterator[Server]:
    """Run the server."""
    server = Server(root)
    thread = threading.Thread(target=lambda: server.serve_forever(0.05), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def environment(server: Server) -> dict[str, str]:
    """What points S3 clients at it."""
    return {
        "AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip


@contextmanager
def serving(root: Path, monkeypatch: Any) -> Iterator[Server]:
    """Run the server and point S3 clients of this process, and of those it starts, at it."""
    with started(root) as server:
        for name, value in environment(server).items():
            monkeypatch.setenv(name, value)
        forget_pieces(monkeypatch)
        forget_clients()
        try:
            yield server
        finally:
            forget_clients()


def forget_pieces(monkeypatch: Any) -> None:
    """Make this process ask again for what it read before, as another one would."""
    from yoto_video.pipeline import kept

    monkeypatch.setattr(kept, "PIECES", kept.Pieces())


def forget_clients() -> None:
    """Make those of this process read the environment again."""
    from yoto_video.pipeline import object_store

    object_store.filesystem.cache_clear()
