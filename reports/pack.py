"""A report as one file to mail: its pages, what they share, and the pictures they show."""

from __future__ import annotations

import html
import os
import re
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import unquote

from ..pipeline.errors import YotoVideoError

_PICTURE = re.compile(r'(?:src|href)="(?:\.\./)+(pictures/[^"]+)"')


def pack(report: Path, zipped: str | os.PathLike[str]) -> Path:
    """Write a zip that holds `report/` and of OUT/pictures what its pages show, with the same places as in OUT.

    Args:
        report: OUT/report, as `build_report` left it.
        zipped: the zip; replaced whole, or left as it was.

    Returns:
        Path of the zip; where the name is a link, of the file it leads to.

    Raises:
        YotoVideoError: the zip cannot be written, for its folder is not there or for another reason.
    """
    out, target, aside = report.parent, Path(os.path.realpath(zipped)), None  # a link stays one
    pages = sorted(p for p in report.rglob("*") if p.is_file())  # before the zip is begun: it may lie among them
    if os.path.exists(target) and not os.path.isfile(target):
        raise YotoVideoError(f"{zipped}: cannot write the zip (this is no file)")
    try:
        handle, name = tempfile.mkstemp(prefix=".zip-", dir=target.parent)
        aside = Path(name)
        shown: set[str] = set()
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for page in pages:
                packed.write(page, page.relative_to(out))
                if page.suffix == ".html":
                    text = page.read_text(encoding="utf-8")
                    shown |= {unquote(html.unescape(found)) for found in _PICTURE.findall(text)}
            for picture in sorted(shown):
                if (out / picture).is_file():  # somebody may have made room
                    packed.write(out / picture, picture, zipfile.ZIP_STORED)
        aside.chmod(0o644)  # mkstemp's files are private
        aside.replace(target)
    except OSError as error:
        raise YotoVideoError(f"{target}: cannot write the zip ({error.strerror or error})") from None
    finally:
        if aside is not None:
            aside.unlink(missing_ok=True)
    return target
