"""The commands `cityvitals kpi ...`; the modules that do the work are imported when they run."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import DRAW, READ, REPORT, VALUES
from cityvitals.help import Sections
from cityvitals.options import CityFile, CityId, Codes, Form, PeriodText, StoreUrl, Targets, TextForm, Who, by, width

app = typer.Typer(help="KPI values: show, recalculate, report and compare them.", cls=Sections, no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="kpi", rich_help_panel=VALUES)
    app.command("show", rich_help_panel=READ)(kpi_show)
    app.command("backfill", rich_help_panel=READ)(kpi_backfill)
    app.command("form", rich_help_panel=REPORT)(kpi_form)
    app.command("report", rich_help_panel=REPORT)(kpi_report)
    app.command("explain", rich_help_panel=READ)(kpi_explain)
    app.command("snapshot", rich_help_panel=DRAW)(kpi_snapshot)
    app.command("pack", rich_help_panel=DRAW)(kpi_pack)
    app.command("compare", rich_help_panel=READ)(kpi_compare)
    app.command("trend", rich_help_panel=READ)(kpi_trend)
    app.command("export", rich_help_panel=DRAW)(kpi_export)


def _now() -> int:
    return time.time_ns() // 1_000_000


def kpi_form(
    year: Annotated[int, typer.Option(min=1990, max=2100, help="The year of the figures.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write: .xlsx or .csv.")] = Path("figures.xlsx"),
    city: CityId = "",
    store: StoreUrl = "",
) -> None:
    """Write a form for a city's yearly figures.

    With --city and --store, an .xlsx has what the city reported before. `cityvitals kpi report` reads the filled form.

    Example: cityvitals kpi form --year 2018 --out figures_2018.xlsx
    """
    from reporting.figures.file import blank_form  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    if out.exists():
        raise UsageError(f"{out} exists and may contain figures; name another file with --out.")
    if bool(city) != bool(store) or (city and out.suffix == ".csv"):
        raise UsageError("A form that is filled in needs --city, --store, and a file that ends in .xlsx.")
    if out.suffix == ".csv":
        out.write_text(blank_form(year), encoding="utf-8")
    elif out.suffix == ".xlsx":
        out.write_bytes(_filled_form(year, city, store))
    else:
        raise UsageError(f"'{out}' must end in .xlsx or .csv.")
    sys.stdout.write(f"{out}\n")


def _filled_form(year: int, city: str, store: str) -> bytes:
    from registry.extras import need  # noqa: PLC0415

    need("report", "xlsxwriter")
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.figures.stored import reported_of  # noqa: PLC0415
    from reporting.files.workbook import form_workbook  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415

    if not city:
        return form_workbook(year)
    opened = existing_store(store)
    return form_workbook(year, reported_of(opened, stored_city(opened, city)))


def kpi_report(
    city: Annotated[str, typer.Argument(help="The city's id, or its CITY.toml.")],
    file: Annotated[Path, typer.Argument(help="The filled form: .xlsx, or CSV with the columns of `kpi form`.")],
    store: StoreUrl,
    strict: Annotated[bool, typer.Option(help="Also reject figures that a verifier would question.")] = False,
    draft: Annotated[
        bool, typer.Option("--draft", help="Keep them as drafts: nothing is published or scored.")
    ] = False,
    who: Who = "",
) -> None:
    """Check a city's yearly figures and store them.

    The rules are those of the verifiers. States and history: `cityvitals figures`.

    Example: cityvitals kpi report aberdeen figures_2018.xlsx --store sqlite:///aberdeen.db
    """
    from adapters.stores import open_store  # noqa: PLC0415
    from reporting.city_file import city_named  # noqa: PLC0415
    from reporting.report import as_text, figures_of_file  # noqa: PLC0415
    from reporting.submission.work import keep_drafts, submit  # noqa: PLC0415

    given = figures_of_file(file)
    opened = open_store(store)
    known = city_named(opened, city, store)
    if draft:
        done = keep_drafts(opened, known, given, str(file), by(who), _now())
    else:
        done = submit(opened, known, given, str(file), by(who), _now(), strict)
    sys.stdout.write(as_text(done, known, "kept as drafts" if draft else "stored"))


def kpi_explain(
    code: Annotated[str, typer.Argument(help="The KPI, such as EN:EN:AQ:1C.")],
    city: CityId,
    store: StoreUrl,
    period: PeriodText,
    part: Annotated[str, typer.Option(help="Only this part, such as no2.")] = "",
    form: TextForm = "text",
) -> None:
    """Print the provenance of a value, down to each station.

    Example: cityvitals kpi explain EN:EN:AQ:1C --city aberdeen --store sqlite:///aberdeen.db --period 2018
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.proof.explain import explain  # noqa: PLC0415
    from reporting.tables import fitted  # noqa: PLC0415

    shown = explain(existing_store(store), city, code, part, period, form, _now())
    sys.stdout.write(shown if form == "json" else fitted(shown, width()))


def kpi_snapshot(
    city: CityId,
    store: StoreUrl,
    period: PeriodText,
    out: Annotated[Path, typer.Option("--out", "-o", help="The SVG file to write.")] = Path("snapshot.svg"),
    targets: Targets = None,
) -> None:
    """Draw the city snapshot, a wheel of the 22 categories.

    Example: cityvitals kpi snapshot --city aberdeen --store sqlite:///aberdeen.db --period 2018 --out aberdeen.svg
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.snapshot import city_snapshot  # noqa: PLC0415

    out.write_text(city_snapshot(existing_store(store), city, period, targets), encoding="utf-8")
    sys.stdout.write(f"{out}\n")


def kpi_pack(
    city: CityId,
    store: StoreUrl,
    period: PeriodText,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")],
    targets: Targets = None,
    sign: Annotated[
        Path | None, typer.Option("--sign", help="A private key of `keygen`: enclose the windows and sign.")
    ] = None,
) -> None:
    """Write the verifier's pack of a city and year.

    Sheet, provenance, plots, summary; with --sign, evidence for `cityvitals verify`.

    Example: cityvitals kpi pack --city aberdeen --store sqlite:///aberdeen.db --period 2018 --out aberdeen-2018
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.pack.pack import collect, write_pack  # noqa: PLC0415

    opened = existing_store(store)
    pack = collect(opened, city, period, targets, _now())
    paths = write_pack(pack, out)
    if sign:
        from reporting.evidence.signing import sign as sign_pack  # noqa: PLC0415 - needs `cryptography`

        paths += sign_pack(opened, pack.city, pack.period, out, sign, _now())
    for path in paths:
        sys.stdout.write(f"{path}\n")


def kpi_compare(
    store: StoreUrl,
    period: PeriodText,
    city: Annotated[list[str] | None, typer.Option("--city", help="A city; may be repeated; default: all.")] = None,
    code: Codes = None,
    form: Form = "table",
) -> None:
    """Compare cities, and the region they form.

    How each region's value is made is stated beside it.

    Example: cityvitals kpi compare --store sqlite:///region.db --period 2018 --city aberdeen --city lcl
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.compare import compared, comparison_text  # noqa: PLC0415

    lines = compared(existing_store(store), city or [], period, code or [])
    sys.stdout.write(comparison_text(lines, form, width()))


def kpi_trend(city: CityId, store: StoreUrl, code: Codes = None, targets: Targets = None, form: Form = "table") -> None:
    """Show a city's final years and the distance to its targets.

    Example: cityvitals kpi trend --city aberdeen --store sqlite:///aberdeen.db --code EN:EN:AQ:1C
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.compare import trend_text, trends  # noqa: PLC0415

    sys.stdout.write(trend_text(trends(existing_store(store), city, code or [], targets), form, width()))


def kpi_export(
    city: CityId,
    store: StoreUrl,
    form: Annotated[str, typer.Option("--format", help="ngsi-ld, csv or parquet.")] = "csv",
    period: Annotated[str, typer.Option(help="One period, such as 2018; default: all of --kind.")] = "",
    kind: Annotated[list[str] | None, typer.Option(help="year (the default), quarter, month or day; repeat.")] = None,
    code: Codes = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write; default: standard output.")
    ] = None,
) -> None:
    """Export values as open data: NGSI-LD, CSV or Parquet.

    Example: cityvitals kpi export --city aberdeen --store sqlite:///aberdeen.db --format ngsi-ld --out kpis.jsonld
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.export import export  # noqa: PLC0415

    data = export(existing_store(store), city, form, period, kind or [], code or [])
    if out is None:
        sys.stdout.buffer.write(data)
    else:
        out.write_bytes(data)
        sys.stdout.write(f"{out}\n")


def kpi_show(
    city: CityId,
    store: StoreUrl,
    period: Annotated[str, typer.Option(help="2018, 2018-Q3, 2018-07, 2018-07-01, 24h or 365d.")],
    code: Codes = None,
    form: Form = "table",
) -> None:
    """Show the KPI values of a period.

    Example: cityvitals kpi show --city aberdeen --store sqlite:///aberdeen.db --period 2018
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.show import as_text, values  # noqa: PLC0415
    from telemetry.errors import UsageError, nearest  # noqa: PLC0415

    if form not in ("table", "json", "csv"):
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, ['table', 'json', 'csv'])}")
    rows = values(existing_store(store), city, period, code or [], time.time_ns() // 1_000_000)
    sys.stdout.write(as_text(rows, form, width()))


def kpi_backfill(
    city: CityFile,
    store: StoreUrl,
    from_windows: Annotated[
        bool,
        typer.Option(
            "--from-windows",
            help="Recalculate the hours too, for windows that were stored while the city was not served.",
        ),
    ] = False,
) -> None:
    """Recalculate a city's KPI values from the stored hours.

    Only changed values are written. After a change of the city file, only
    the KPIs that use it are recalculated, and changes are listed.

    Example: cityvitals kpi backfill --city aberdeen.toml --store sqlite:///aberdeen.db
    """
    from cityvitals.commands import backfill_command  # noqa: PLC0415

    backfill_command(city, store, from_windows)
