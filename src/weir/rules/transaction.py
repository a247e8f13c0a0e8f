"""What is done with the chip: who sends it from where to whom for what, and what is assumed."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from weir.catalog.law import TRANSACTION_KINDS, Law
from weir.core.errors import InputError, UnknownNameError
from weir.rules.logic import NO, TRUTH_OF_WORD, UNKNOWN, YES
from weir.rules.places import country_code, country_name

ALL = "all"
_ORDINARY = (  # taken as "no" unless said otherwise: an ordinary, unlisted consignee
    "military_end_use",
    "supercomputer_end_use",
    "consignee_listed",
    "uae_authorised",
    "data_centre_veu",
    "fabricator_or_osat",
)
_OPEN = (  # unknown unless said otherwise
    "authorised_designer",
    "packaged_by_fabricator",
    "packaged_by_approved_osat",
    "bought_by_packager",
    "advanced_logic",
)
_FROM_THE_CHIP = ("datacentre", "commercially_available_us", "contains_hbm", "designed_in_prc")
_OF_THE_ITEM = ("is_hbm", "processing_dominant")
FLAGS = (*_ORDINARY, *_OPEN, *_FROM_THE_CHIP, *_OF_THE_ITEM)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One export, reexport, transfer or import; what is None is assumed, and the answer says so.

    Attributes:
        destination: ISO code or English name.
        on: The day.
        kind: "export" (from the U.S.), "reexport" (also export from abroad),
            "in_country_transfer", "deemed_export" or "import" (into the U.S.).
        origin: Where the item comes from; None for the U.S., or the destination of a transfer.
        exporter: Company; letters bind companies. None for the designer of the chip.
        exporter_headquarters: Country of the exporter's seat; None for unknown.
        consignee_headquarters: None for the destination.
        ultimate_parent_headquarters: None for the same as the consignee.
        flags: Yes, no or unknown by fact (`FLAGS`), over what is assumed or known of the chip.
        certifications: Names of certifications given; None for unknown, ("all",) for all.
        listed_ownership: Share of the consignee owned by listed parties, 0 to 1, low and high.
        transistors: Aggregated approximated transistor count of the package, low and high.
        completion_year: Year in which the export is completed; None for that of `on`.
        datacentre_basis: Why `datacentre` is said to be yes or no.
    """

    destination: str
    on: dt.date
    kind: str = "export"
    origin: str | None = None
    exporter: str | None = None
    exporter_headquarters: str | None = None
    consignee_headquarters: str | None = None
    ultimate_parent_headquarters: str | None = None
    flags: Mapping[str, str] = field(default_factory=dict)
    certifications: tuple[str, ...] | None = None
    listed_ownership: tuple[float, float] = (0.0, 0.0)
    transistors: tuple[float, float] = (math.nan, math.nan)
    completion_year: int | None = None
    datacentre_basis: str = ""

    def __post_init__(self) -> None:
        if self.kind not in TRANSACTION_KINDS:
            raise UnknownNameError("kind of transaction", self.kind, TRANSACTION_KINDS)
        for name, word in self.flags.items():
            if name not in FLAGS:
                raise UnknownNameError(
                    "transaction fact", name, FLAGS, f"Known: {', '.join(FLAGS)}."
                )
            if word not in TRUTH_OF_WORD:
                raise InputError(f"{name} = '{word}'; write yes, no, contested or unknown")
        for label, (low, high) in (
            ("listed_ownership", self.listed_ownership),
            ("transistors", self.transistors),
        ):
            if low < 0 or high < 0 or low > high:
                raise InputError(f"{label} ({low}, {high}): write low and high, neither negative")
        if self.listed_ownership[1] > 1:
            raise InputError(
                f"listed_ownership {self.listed_ownership[1]} is above 1; write 0.5 for 50 percent"
            )


@dataclass(frozen=True)
class Case:
    """A transaction with every gap filled; countries as codes.

    Attributes:
        transaction: What was given.
        destination: ISO code.
        origin: ISO code.
        exporter: Company; empty for the designer of each chip.
        consignee: ISO code of the consignee's seat.
        parent: ISO code of its ultimate parent's seat.
        exporter_headquarters: ISO code, empty where unknown.
        facts: Truth by fact that the transaction decides.
        certified: Truth by certification.
        numbers: Low and high by metric that the transaction gives.
        assumptions: What was filled in.
    """

    transaction: Transaction
    destination: str
    origin: str
    exporter: str
    consignee: str
    parent: str
    exporter_headquarters: str
    facts: Mapping[str, int]
    certified: Mapping[str, int]
    numbers: Mapping[str, tuple[float, float]]
    assumptions: tuple[str, ...]

    @property
    def on(self) -> dt.date:
        """The day."""
        return self.transaction.on

    @property
    def kind(self) -> str:
        """The kind of transaction."""
        return self.transaction.kind

    def moved(self, law: Law, destination: str, on: dt.date) -> "Case":
        """The same transaction to another destination or on another day."""
        return resolve(law, replace(self.transaction, destination=destination, on=on))


def resolve(law: Law, given: Transaction) -> Case:
    """Fills the gaps of a transaction and refuses contradictions.

    Raises:
        UnknownNameError: A country or certification that does not exist.
        InputError: Facts that contradict each other.
    """
    destination = country_code(law, given.destination)
    assumed: list[str] = []
    origin = _origin(law, given, destination)
    _refuse_contradictions(given, origin, destination)
    if not given.exporter:
        assumed.append("the exporter is the designer of the chip (letters bind companies)")
    if given.origin is None and given.kind == "export":
        assumed.append("the export is from the United States")
    consignee = _seat(law, given.consignee_headquarters, "consignee headquarters") or destination
    parent = _seat(law, given.ultimate_parent_headquarters, "parent headquarters") or consignee
    if given.consignee_headquarters is None:
        where = country_name(law, destination)
        assumed.append(f"the consignee is headquartered in {where}")
    if given.ultimate_parent_headquarters is None:
        assumed.append("its ultimate parent is headquartered where the consignee is")
    facts = dict.fromkeys(_ORDINARY, NO) | dict.fromkeys(_OPEN, UNKNOWN)
    facts |= {"is_hbm": NO, "processing_dominant": YES}  # a processor, unless said otherwise
    facts |= {name: TRUTH_OF_WORD[word] for name, word in given.flags.items()}
    if not any(name in given.flags for name in _ORDINARY):
        assumed.append("no party is listed, the end use is civil and no supercomputer is built")
    return Case(
        transaction=given,
        destination=destination,
        origin=origin,
        exporter=given.exporter or "",
        consignee=consignee,
        parent=parent,
        exporter_headquarters=_seat(law, given.exporter_headquarters, "exporter headquarters"),
        facts=facts,
        certified=_certified(law, given),
        numbers={
            "listed_ownership": given.listed_ownership,
            "transistors": (
                0.0 if math.isnan(given.transistors[0]) else given.transistors[0],
                math.inf if math.isnan(given.transistors[1]) else given.transistors[1],
            ),
            "completion_year": _year(given),
        },
        assumptions=tuple(assumed),
    )


def _origin(law: Law, given: Transaction, destination: str) -> str:
    if given.origin is not None:
        return country_code(law, given.origin, "origin")
    return destination if given.kind == "in_country_transfer" else "US"


def _seat(law: Law, name: str | None, role: str) -> str:
    return country_code(law, name, role) if name else ""


def _year(given: Transaction) -> tuple[float, float]:
    year = float(given.completion_year or given.on.year)
    if year < given.on.year:
        raise InputError(f"completion_year {year:.0f} is before the day {given.on}")
    return year, year


def _certified(law: Law, given: Transaction) -> dict[str, int]:
    if given.certifications is None:
        return dict.fromkeys(law.certifications, UNKNOWN)
    if ALL in given.certifications:
        return dict.fromkeys(law.certifications, YES)
    for name in given.certifications:
        if name not in law.certifications:
            known = (*law.certifications, ALL)
            raise UnknownNameError("certification", name, known, f"Known: {', '.join(known)}.")
    return {name: YES if name in given.certifications else NO for name in law.certifications}


def _refuse_contradictions(given: Transaction, origin: str, destination: str) -> None:
    if given.kind == "import":
        if destination != "US":
            raise InputError(
                f"an import goes into the United States, not to {destination}; "
                "use --to US, or kind reexport"
            )
        return
    if given.kind == "in_country_transfer":
        if origin != destination:
            raise InputError(
                f"an in-country transfer stays in one country, but goes from {origin} to "
                f"{destination}; use kind reexport"
            )
        return
    if given.kind == "export" and origin != "US":
        raise InputError(
            f"an export starts in the United States, but the origin is {origin}; "
            "use kind reexport (it also stands for an export from abroad)"
        )
    if given.kind == "reexport" and given.origin == "US":
        raise InputError("a reexport does not start in the United States; use kind export")
    if origin == destination and given.kind != "deemed_export":
        raise InputError(
            f"origin and destination are both {destination}; use kind in_country_transfer"
        )
