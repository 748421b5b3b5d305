"""`cityvitals report vlr`: the review as DOCX, PDF and NGSI-LD."""

from __future__ import annotations

from pathlib import Path

from adapters.store import Store
from registry.extras import need


def write_review(store: Store, city_id: str, period: str, texts: Path | None, out: Path) -> list[Path]:
    """Write the files; returns their paths. Raises UsageError, CityVitalsError where a library is missing."""
    need("report", "docx", "matplotlib", "reportlab")
    from reporting.export import export  # noqa: PLC0415 - only a review needs these libraries
    from reporting.vlr.chart import chart  # noqa: PLC0415
    from reporting.vlr.compose import compose  # noqa: PLC0415
    from reporting.vlr.content import collect  # noqa: PLC0415
    from reporting.vlr.docx import docx  # noqa: PLC0415
    from reporting.vlr.pdf import pdf  # noqa: PLC0415

    review = collect(store, city_id, period, texts)
    blocks = compose(review, chart)
    title = f"{review.city.city.name}: Voluntary Local Review {review.period.label}"
    files = {
        "vlr.docx": docx(blocks, title),
        "vlr.pdf": pdf(blocks, title),
        "vlr.jsonld": export(store, city_id, "ngsi-ld", period, [], _all_codes()),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    return [out / name for name in files]


def _all_codes() -> list[str]:
    from reporting.figures.points import u4ssc  # noqa: PLC0415

    return [kpi.code for kpi in u4ssc()]
