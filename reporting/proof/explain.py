"""`cityvitals kpi explain`: the provenance of a value, from the store and the engine's own view."""

from __future__ import annotations

import sys

import msgspec

from adapters.store import Store
from kpi_derivation.catalogue import DERIVATIONS, KPIS, Derivation
from kpi_derivation.engine.reads import Reads
from kpi_derivation.engine.runner import Engine
from registry.city import City
from reporting.figures.reported import QUALITY, Reported, from_value, is_reported, plain_part
from reporting.figures.stored import calendar
from reporting.proof.devices import left_out_kinds, proofs_of, with_errors
from reporting.proof.needed import NeededHours, lacking, needed_by
from reporting.proof.proof import Parameter, Proof, arithmetic, ratio, uncertainty
from reporting.proof.text import as_text
from reporting.proof.watched import Read, watching
from reporting.show import stored_city, wanted_codes
from telemetry.errors import UsageError, nearest
from telemetry.gases import compared
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi, as_json
from telemetry.periods import Period, iso
from telemetry.series import SeriesTable
from telemetry.windows import HOUR


def explain(store: Store, city_id: str, code: str, part: str, period_text: str, form: str, now: int) -> str:
    """The provenance of a KPI's parts as `text` or `json`, with the reported figure. Raises UsageError."""
    if form not in ("text", "json"):
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, ['text', 'json'])}")
    city = stored_city(store, city_id)
    period = calendar(city, period_text)
    [exact] = wanted_codes([code])
    found = [p for p in _proofs(store, city, exact, period, now) if part in ("", p.value.part)]
    said = [v.kpi for v in store.kpis(KpiQuery.of_period(city.id, period, [exact]))]
    reported = [v for v in said if is_reported(v) and part in ("", plain_part(v))]
    if not found and not reported:
        parts = ", ".join(KPIS[exact].parts) or "none"
        raise UsageError(f"{exact} {part}".rstrip() + f" has no value in {period.label}; its parts are: {parts}.")
    if form == "json":
        plain = {"derived": found, "reported": [as_json(v) for v in reported]}
        return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"
    return "\n".join([*(as_text(p) for p in found), *(_reported_text(from_value(v), city) for v in reported)])


def _proofs(store: Store, city: City, code: str, period: Period, now: int) -> list[Proof]:
    return Explainer(store, city, now, code).proofs(code, period) if code in DERIVATIONS else []


def _reported_text(f: Reported, city: City) -> str:
    part = f" {f.part}" if f.part else ""
    ratio = "" if f.denominator is None else f"\n  {'from':13}{f.numerator:,.10g} / {f.denominator:,.10g}"
    return (
        f"{f.code} {KPIS[f.code].name}{part}, {city.id}, {f.year}, as reported by the city\n"
        f"  {'value':13}{f.value:,.6g} {f.unit}{ratio}\n  {'quality':13}{f.quality}: {QUALITY[f.quality]}\n"
        f"  {'source':13}{f.source}\n" + (f"  {'remark':13}{f.remark}\n" if f.remark else "")
    )


class Explainer:
    """The provenance of one city's values. Restores the engine from the stored hours once.

    `only`: of this KPI alone; then the hours of series that it does not read are not read either.
    """

    _needed: Reads | None = None

    def __init__(self, store: Store, city: City, now: int, only: str | None = None) -> None:
        self.city, self._store, self._now = city, store, now
        self._needed = None if only not in DERIVATIONS else needed_by(only, city)
        self._engine = self._restored()
        self._kept = store.kept(city.id, "window")

    def _restored(self) -> Engine:
        """The engine with the days of all series, or of those that are needed."""
        store, city, table, needed = self._store, self.city, SeriesTable(), self._needed
        history = store if needed is None else NeededHours(store, city, needed, table)
        engine = Engine(city, table, history, only=needed)
        hours, windows = store.span(city.id, "hour"), store.span(city.id, "window")
        if hours:
            engine.restore(hours, windows[1] if windows else hours[1] + HOUR)
        return engine

    def proofs(self, code: str, period: Period) -> list[Proof]:
        """The provenance of each part of a derivable KPI. Raises UsageError for one that is not derived."""
        if code not in DERIVATIONS:
            raise UsageError(f"{code} is not derived from readings; `cityvitals kpi show` shows the reported figure.")
        derivation = DERIVATIONS[code]
        values, read = self._derived(derivation, period)
        stored = {v.kpi.part: v for v in self._store.kpis(KpiQuery.of_period(self.city.id, period, [code]))}
        return [self._proof(value, derivation, read, stored.get(value.part)) for value in values]

    def _derived(self, derivation: Derivation, period: Period) -> tuple[list[KpiValue], Read]:
        """The values, and what was read for them."""
        while True:
            read = Read()
            values = self._engine.derive(period, self._now, [watching(derivation, read)])
            if self._needed is None or not lacking(self._needed, read.facts):
                return values, read
            self._needed.update(read.facts)  # by the data it reads more than without any
            self._engine = self._restored()

    def _proof(self, value: KpiValue, derivation: Derivation, read: Read, stored: StoredKpi | None) -> Proof:
        assert read.view is not None  # noqa: S101 - derive has just been called with it
        devices = proofs_of(value, derivation, read)
        parameters = self._parameters(read)
        counted = [d for d in devices if not d.left_out]
        is_mean = value.value is not None and arithmetic(value.value, counted, ()).startswith("mean of the")
        if is_mean:
            devices = with_errors(devices, read)
            counted = [d for d in devices if not d.left_out]
        by_entry = (read.counts(value.part) or set()) if value.n_devices else set()
        return Proof(
            value=msgspec.structs.replace(value, revision=stored.kpi.revision if stored else 1),
            name=derivation.kpi.name,
            definition=derivation.kpi.definition,
            source=derivation.kpi.source,
            how=_method_text(derivation),
            parameters=parameters,
            devices=(*devices, *left_out_kinds(value, derivation, read)),
            expected_hours=read.view.expected_ms / HOUR,
            arithmetic="" if value.value is None else arithmetic(value.value, counted, parameters) or ratio(value),
            from_registry=tuple(sorted(by_entry - {d.device for d in devices})),
            uncertainty=uncertainty(counted) if is_mean else None,
            in_ppb=compared(value.part, value.value) if is_mean and value.value is not None else "",
            stored=_stored_text(value, stored) + self._deleted(value),
        )

    def _deleted(self, value: KpiValue) -> str:
        """That the hours it is derived from cannot be made from windows any more."""
        if self._kept is None or value.start >= self._kept.start:
            return ""
        return f"; derived from stored hours, which cannot be derived again: {self._kept.sentence()}"

    def _parameters(self, read: Read) -> tuple[Parameter, ...]:
        """The rules and denominators that were read; the capture of an hour is included where hours count."""
        rules, numbers, documented = dict(self.city.rules), dict(self.city.city), self.city.documented
        names = sorted({"hour_capture", *read.names} - {"id", "name", "country", "timezone", "extra"})
        found = []
        for name in names:
            value = rules.get(name, numbers.get(name))
            listed = [str(documented[k]) for k in (f"{name}_year", f"{name}_source") if k in documented]
            plain = value if value is None or isinstance(value, bool | float | str) else str(value)
            found.append(Parameter(name=name, value=plain, source="; ".join(listed)))
        return tuple(found)


def _method_text(derivation: Derivation) -> str:
    """The method in words: the docstring of its module."""
    return " ".join((sys.modules[derivation.derive.__module__].__doc__ or "").split())


def _stored_text(value: KpiValue, stored: StoredKpi | None) -> str:
    if stored is None:
        return "not stored yet"
    when = f"stored {iso(stored.changed)}, revision {stored.kpi.revision}"
    before = "" if stored.previous is None else f", before {stored.previous:,.6g}"
    same = stored.kpi.value == value.value
    return when + before + ("; recalculated now: the same" if same else f"; recalculated now: {value.value}, DIFFERENT")
