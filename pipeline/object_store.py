"""Object stores (`s3://`, `gs://`, ...) through pyarrow.fs: opening them, asking again, and counting what was read.

Credentials, region and endpoint come from where the store's own tools take them (for S3 `AWS_PROFILE`, `AWS_REGION`,
`AWS_ENDPOINT_URL`, ...) and from nowhere else: an address that carries a key is refused.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pyarrow import fs as pafs

from .errors import UsageError, VideoError

_T = TypeVar("_T")
_SDK_TRIES = 8  # of a request inside the client library: after 25 ms, then twice as long each time, 3 s in all
_TRIES = 4  # of ours around them: the library does not ask again after every kind of failure
_FIRST_WAIT_S = 0.5
_LASTING = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


class Traffic:
    """Bytes this process has read from object stores."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read = 0

    @property
    def read(self) -> int:
        """So far."""
        return self._read

    def add(self, count: int) -> None:
        """Count them."""
        with self._lock:
            self._read += count


TRAFFIC = Traffic()


def resolve(uri: str) -> tuple[Any, str]:
    """The `pyarrow.fs.FileSystem` that holds a URI and the path inside it. Filesystems are kept for the process.

    Raises:
        UsageError: an unknown scheme, an address with a key in it, or a store that cannot be set up (bucket, region,
            credentials).
    """
    refuse_secrets(uri)
    scheme, _, rest = uri.partition("://")
    authority, _, key = rest.partition("/")
    try:
        system, base = filesystem(f"{scheme}://{authority}")
    except (OSError, ValueError, NotImplementedError) as error:
        if "nrecognized filesystem" in str(error):
            problem = f"this storage cannot be opened: not {scheme}:// but local paths, file://, s3:// and gs:// work"
        else:
            problem = f"this storage cannot be opened ({short(error)}); check the address and credentials"
        raise UsageError(f"{uri}: {problem}") from error
    return system, f"{base}/{key}" if key else base


def refuse_secrets(uri: str) -> None:
    """Addresses stand in tables, pages and logs: no key may be in one.

    Raises:
        UsageError: there is one; it is not repeated in the message.
    """
    scheme, _, rest = uri.partition("://")
    user, found, host = rest.partition("/")[0].rpartition("@")
    if found and user != "anonymous":
        raise UsageError(
            f"{scheme}://...@{host}: no keys in an address; set them as {scheme}'s own tools want them (environment, "
            "profile or instance role)"
        )


@lru_cache(maxsize=32)
def filesystem(address: str) -> tuple[Any, str]:
    """A store's filesystem and the bucket's name in it.

    Asked with the bucket alone: pyarrow wants keys percent-encoded in a URI and plain everywhere else.
    """
    system, base = pafs.FileSystem.from_uri(address)
    if isinstance(system, pafs.S3FileSystem):  # region and bucket are found; more patience cannot be put in a URI
        endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")
        system = pafs.S3FileSystem(
            region=system.region, endpoint_override=endpoint.netloc or None, scheme=endpoint.scheme or "https",
            retry_strategy=pafs.AwsDefaultS3RetryStrategy(max_attempts=_SDK_TRIES),
            allow_delayed_open=True,  # a small object is one request, not four
        )  # fmt: skip
    return system, base.rstrip("/")


def asked_again(request: Callable[[], _T], *, wait: Callable[[float], object] = time.sleep) -> _T:
    """The request's answer; one that failed for what may pass is made again, up to four times in all.

    Raises:
        OSError: of the last try, or at once where trying again is no use (not there, not allowed).
    """
    for number in range(1, _TRIES + 1):
        try:
            return request()
        except _LASTING:
            raise
        except OSError as error:
            if number == _TRIES or "ACCESS_DENIED" in str(error):
                raise
            wait(_FIRST_WAIT_S * 2 ** (number - 1) * random.uniform(0.5, 1.5))  # not all workers at once
    raise AssertionError("unreachable")


def short(error: BaseException) -> str:
    """First line of a storage error, without the store's long tail."""
    if isinstance(error, VideoError):
        return error.reason
    text = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
