"""EPUBs made by hand, and other archives."""

from __future__ import annotations

import gzip
import io
import zipfile

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""

METADATA = """<dc:title>The Salt Road</dc:title><dc:creator id="a" opf:role="aut" opf:file-as="Reed, Ada">Ada Reed</dc:creator>
<dc:contributor id="t">Jon Pike</dc:contributor><meta refines="#t" property="role">trl</meta>
<dc:contributor>Some Typesetter</dc:contributor><dc:language>en-GB</dc:language><dc:rights>CC0</dc:rights>"""


def page(body: str, head: str = "<title>x</title>") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops"><head>{head}</head><body>{body}</body></html>'
    )


def make_zip(files: dict[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def make_gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def make_epub(
    *pages: str,
    metadata: str = METADATA,
    extra: dict[str, str | bytes] | None = None,
    items: str = "",
    spine: str | None = None,
    guide: str = "",
) -> bytes:
    """An EPUB whose documents are p0.xhtml, p1.xhtml ... in the spine's order unless `spine` gives another."""
    manifest = "".join(
        f'<item id="p{index}" href="p{index}.xhtml" media-type="application/xhtml+xml"/>' for index in range(len(pages))
    )
    order = spine if spine is not None else "".join(f'<itemref idref="p{index}"/>' for index in range(len(pages)))
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" xmlns:opf="http://www.idpf.org/2007/opf" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" version="3.0"><metadata>{metadata}</metadata>'
        f"<manifest>{manifest}{items}</manifest><spine>{order}</spine><guide>{guide}</guide></package>"
    )
    return make_zip(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "OEBPS/book.opf": package,
            **{f"OEBPS/p{index}.xhtml": text for index, text in enumerate(pages)},
            **(extra or {}),
        }
    )
