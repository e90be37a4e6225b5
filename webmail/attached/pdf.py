"""Pages of PDFs as pictures, by PDFium without scripts and without forms.

Only the drawing child imports this module (`webmail.attached.drawing`).
"""

import math

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from webmail.attached import limits
from webmail.attached.pictures import Drawn, NotDrawnError, written

_MAGIC_WITHIN = 1024  # octets: where readers look for "%PDF-"
_LARGEST_SCALE = 4.0  # pixels a point


def draw_page(content: bytes, *, page: int, width: int, height: int) -> Drawn:
    """Return page `page` (from 1) within `width` × `height` pixels; `pages` counts all of them.

    Raises NotDrawnError: "too-large", "damaged", "password", "no-such-page".
    """
    if len(content) > limits.PDF:
        raise NotDrawnError("too-large")
    if b"%PDF-" not in content[:_MAGIC_WITHIN]:
        raise NotDrawnError("damaged")
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        is_locked = getattr(error, "err_code", None) == pdfium_c.FPDF_ERR_PASSWORD
        raise NotDrawnError("password" if is_locked else "damaged") from error
    try:
        return _draw(document, page=page, width=width, height=height)
    except (pdfium.PdfiumError, ValueError, OverflowError) as error:
        raise NotDrawnError("damaged") from error
    except MemoryError as error:
        raise NotDrawnError("too-many-pixels") from error
    finally:
        document.close()


def _draw(document: pdfium.PdfDocument, *, page: int, width: int, height: int) -> Drawn:
    pages = len(document)
    if not 1 <= page <= min(pages, limits.PDF_PAGES):
        raise NotDrawnError("no-such-page" if pages else "damaged")
    one = document[page - 1]
    across, down = one.get_size()
    if not (math.isfinite(across) and math.isfinite(down) and across > 0 and down > 0):
        raise NotDrawnError("damaged")
    # PDFium rounds up: the last pixel is left for that.
    scale = min((width - 1) / across, (height - 1) / down, _LARGEST_SCALE)
    if math.ceil(across * scale) * math.ceil(down * scale) > limits.PAGE_PIXELS:
        raise NotDrawnError("too-many-pixels")
    bitmap = one.render(scale=scale, may_draw_forms=False)
    image = bitmap.to_pil().convert("RGB")
    return Drawn(content=written(image), width=image.width, height=image.height, pages=pages)
