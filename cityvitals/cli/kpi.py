"""The commands `cityvitals kpi ...`; the modules that do the work are imported when they run."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

StoreUrl = Annotated[str, typer.Option("--store", help="sqlite:///city.db or influxdb://host:8086/database")]
CityId = Annotated[str, typer.Option("--city", help="The city's id.")]
PeriodText = Annotated[str, typer.Option("--period", help="2018, 2018-Q3, 2018-07 or 2018-07-01.")]
Codes = Annotated[list[str] | None, typer.Option("--code", help="Only this KPI; may be repeated.")]
Form = Annotated[str, typer.Option("--format", help="table, json or csv.")]
Targets = Annotated[Path | None, typer.Option("--targets", help="A file of [[target]] entries instead of the city's.")]


app = typer.Typer(help="KPI values: show, recalculate, report and compare them.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="kpi")
    app.command("show")(kpi_show)
    app.command("backfill")(kpi_backfill)
    app.command("form")(kpi_form)
    app.command("report")(kpi_report)
    app.command("explain")(kpi_explain)
    app.command("snapshot")(kpi_snapshot)
    app.command("pack")(kpi_pack)
    app.command("compare")(kpi_compare)
    app.command("trend")(kpi_trend)
    app.command("export")(kpi_export)


def _now() -> int:
    return time.time_ns() // 1_000_000


def kpi_form(
    year: Annotated[int, typer.Option(min=1990, max=2100, help="The year of the figures.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write: .xlsx or .csv.")] = Path("figures.xlsx"),
    city: Annotated[str, typer.Option(help="Fill in what this city has reported already (.xlsx).")] = "",
    store: Annotated[str, typer.Option("--store", help="Where that is stored, such as sqlite:///city.db.")] = "",
) -> None:
    """Write a form for a city's yearly figures, for `kpi report`.

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
    from adapters.stores import existing_store  # noqa: PLC0415
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
) -> None:
    """Check a city's yearly figures by the verifiers' rules and store them.

    Example: cityvitals kpi report aberdeen figures_2018.xlsx --store sqlite:///aberdeen.db
    """
    from adapters.stores import open_store  # noqa: PLC0415
    from reporting.city_file import city_named  # noqa: PLC0415
    from reporting.report import as_text, report  # noqa: PLC0415

    opened = open_store(store)
    known = city_named(opened, city, store)
    sys.stdout.write(as_text(report(opened, known, file, _now(), strict), known))


def kpi_explain(
    code: Annotated[str, typer.Argument(help="The KPI, such as EN:EN:AQ:1C.")],
    city: CityId,
    store: StoreUrl,
    period: PeriodText,
    part: Annotated[str, typer.Option(help="Only this part, such as no2.")] = "",
    form: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """Print the provenance of a value, down to each station.

    Example: cityvitals kpi explain EN:EN:AQ:1C --city aberdeen --store sqlite:///aberdeen.db --period 2018
    """
    from adapters.stores import existing_store  # noqa: PLC0415
    from reporting.proof.explain import explain  # noqa: PLC0415

    sys.stdout.write(explain(existing_store(store), city, code, part, period, form, _now()))


def kpi_snapshot(
    city: CityId,
    store: StoreUrl,
    period: PeriodText,
    out: Annotated[Path, typer.Option("--out", help="The SVG file to write.")] = Path("snapshot.svg"),
    targets: Targets = None,
) -> None:
    """Draw the city snapshot, a wheel of the 22 categories.

    Example: cityvitals kpi snapshot --city aberdeen --store sqlite:///aberdeen.db --period 2018 --out aberdeen.svg
    """
    from adapters.stores import existing_store  # noqa: PLC0415
    from reporting.snapshot import city_snapshot  # noqa: PLC0415

    out.write_text(city_snapshot(existing_store(store), city, period, targets), encoding="utf-8")
    sys.stdout.write(f"{out}\n")


def kpi_pack(
    city: CityId,
    store: StoreUrl,
    period: PeriodText,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")],
    targets: Targets = None,
    sign: Annotated[
        Path | None, typer.Option("--sign", help="A private key of `keygen`: enclose the windows and sign.")
    ] = None,
) -> None:
    """Write the verifier's pack: sheet, provenance, plots, summary; with --sign, evidence for `verify`.

    Example: cityvitals kpi pack --city aberdeen --store sqlite:///aberdeen.db --period 2018 --out aberdeen-2018
    """
    from adapters.stores import existing_store  # noqa: PLC0415
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
    """Compare cities, with the region's value weighted by population.

    Example: cityvitals kpi compare --store sqlite:///region.db --period 2018 --city aberdeen --city lcl
    """
    from adapters.stores import existing_store  # noqa: PLC0415
    from reporting.compare import compared, comparison_text  # noqa: PLC0415

    lines = compared(existing_store(store), city or [], period, code or [])
    sys.stdout.write(comparison_text(lines, form, _width()))


def kpi_trend(city: CityId, store: StoreUrl, code: Codes = None, targets: Targets = None, form: Form = "table") -> None:
    """Show the trend of a city's final years and the distance to its targets.

    Example: cityvitals kpi trend --city aberdeen --store sqlite:///aberdeen.db --code EN:EN:AQ:1C
    """
    from adapters.stores import existing_store  # noqa: PLC0415
    from reporting.compare import trend_text, trends  # noqa: PLC0415

    sys.stdout.write(trend_text(trends(existing_store(store), city, code or [], targets), form, _width()))


def kpi_export(
    city: CityId,
    store: StoreUrl,
    form: Annotated[str, typer.Option("--format", help="ngsi-ld, csv or parquet.")] = "csv",
    period: Annotated[str, typer.Option(help="One period, such as 2018; default: all of --kind.")] = "",
    kind: Annotated[list[str] | None, typer.Option(help="year (the default), quarter, month or day; repeat.")] = None,
    code: Codes = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; default: standard output.")] = None,
) -> None:
    """Export values as open data: NGSI-LD, CSV or Parquet.

    Example: cityvitals kpi export --city aberdeen --store sqlite:///aberdeen.db --format ngsi-ld --out kpis.jsonld
    """
    from adapters.stores import existing_store  # noqa: PLC0415
    from reporting.export import export  # noqa: PLC0415

    data = export(existing_store(store), city, form, period, kind or [], code or [])
    if out is None:
        sys.stdout.buffer.write(data)
    else:
        out.write_bytes(data)
        sys.stdout.write(f"{out}\n")


def kpi_show(
    city: Annotated[str, typer.Option("--city", help="The city's id.")],
    store: StoreUrl,
    period: Annotated[str, typer.Option(help="2018, 2018-Q3, 2018-07, 2018-07-01, 24h or 365d.")],
    code: Annotated[list[str] | None, typer.Option(help="Only this KPI; may be repeated.")] = None,
    form: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
) -> None:
    """Show the KPI values of a period.

    Example: cityvitals kpi show --city aberdeen --store sqlite:///aberdeen.db --period 2018
    """
    from adapters.stores import existing_store  # noqa: PLC0415
    from reporting.show import as_text, values  # noqa: PLC0415
    from telemetry.errors import UsageError, nearest  # noqa: PLC0415

    if form not in ("table", "json", "csv"):
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, ['table', 'json', 'csv'])}")
    rows = values(existing_store(store), city, period, code or [], time.time_ns() // 1_000_000)
    sys.stdout.write(as_text(rows, form, None if sys.stdout.isatty() else 200))


def kpi_backfill(
    city: Annotated[Path, typer.Option("--city", help="The city file, CITY.toml.")],
    store: StoreUrl,
    from_windows: Annotated[
        bool,
        typer.Option(
            "--from-windows",
            help="Recalculate the hours too, for windows that were stored while the city was not served.",
        ),
    ] = False,
) -> None:
    """Recalculate a city's KPI values from the stored hours; only changed values are written.

    After a change of the city file, only the KPIs that use it are recalculated, and changes are listed.

    Example: cityvitals kpi backfill --city aberdeen.toml --store sqlite:///aberdeen.db
    """
    from cityvitals.commands import backfill_command  # noqa: PLC0415

    backfill_command(city, store, from_windows)


def _width() -> int | None:
    """Width of the terminal; a wide one where the output goes to a program."""
    return None if sys.stdout.isatty() else 220
