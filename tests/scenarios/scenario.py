"""A scenario: one file that says how a network is broken and what p2pdiag has to say of it. README.md has the format."""
import dataclasses
import pathlib
import re
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
RULES = HERE.parent.parent / "profiles" / "diagnosis"
HOSTS = ("client", "router", "carrier", "server", "internet", "peer", "peer-router")
NONE = "none"


class Mistake(Exception):
    """Of whoever wrote the file; the text begins with its name."""


@dataclasses.dataclass(frozen=True)
class Step:
    on: str
    shell: str


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    lab: list
    cause: str
    broken: list = dataclasses.field(default_factory=list)
    run: list = dataclasses.field(default_factory=list)
    also: list = dataclasses.field(default_factory=list)
    likely: list = dataclasses.field(default_factory=list)
    findings: list = dataclasses.field(default_factory=list)
    verdict: str = ""
    fixable: bool = False
    in_vain: str = ""
    port: int = 8000
    reach: str = "11.22.33.7:8000"
    chance: bool = False
    root: bool = False
    sample: bool = False

    @property
    def healthy(self):
        return self.cause == NONE

    @property
    def endpoint(self):
        """Whither a stranger sends."""
        host, port = self.reach.rsplit(":", 1)
        return host, int(port)


STRINGS = "a list of strings"
TYPES = {"title": str, "lab": STRINGS, "cause": str, "broken": list, "run": STRINGS, "also": STRINGS, "likely": STRINGS,
         "findings": STRINGS, "verdict": str, "fixable": bool, "in_vain": str, "port": int, "reach": str, "chance": bool, "root": bool,
         "sample": bool}
REQUIRED = ("title", "lab", "cause")
STEP_TYPES = {"on": str, "shell": str}
WORDS = {str: "a string", bool: "true or false", int: "a whole number", list: "tables: [[broken]]", STRINGS: STRINGS}


def _fits(value, wanted):
    if wanted == STRINGS:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    # True is an int to Python.
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def _check(table, types, required, where):
    for key, value in table.items():
        if key not in types:
            raise Mistake(f"{where}: '{key}' is not known here; known are {', '.join(types)}")
        if not _fits(value, types[key]):
            raise Mistake(f"{where}: '{key}' has to be {WORDS[types[key]]}")
    for key in required:
        if key not in table:
            raise Mistake(f"{where}: '{key}' is missing")


def known_causes():
    found = set()
    for path in sorted(RULES.glob("*.toml")):
        found.update(cause["id"] for cause in tomllib.loads(path.read_text()).get("cause", []))
    return found


def _check_values(scenario, causes, where):
    for cause in [scenario.cause, *scenario.also, *scenario.likely]:
        if cause not in causes and not (cause == NONE and scenario.healthy):
            raise Mistake(f"{where}: there is no cause '{cause}' in profiles/diagnosis")
    if scenario.healthy and (scenario.also or scenario.likely or scenario.fixable):
        raise Mistake(f"{where}: where cause is \"none\" there is nothing else to name and nothing to fix")
    if scenario.fixable and scenario.in_vain:
        raise Mistake(f"{where}: what fix does is in vain, or it is fixable")
    if scenario.findings and not scenario.healthy:
        raise Mistake(f"{where}: 'findings' are of those where cause is \"none\"")
    if not re.fullmatch(r"[0-9.]+:[0-9]{1,5}", scenario.reach) or not 0 < scenario.endpoint[1] < 65536:
        raise Mistake(f"{where}: 'reach' has to be ADDRESS:PORT")
    if not 0 < scenario.port < 65536:
        raise Mistake(f"{where}: 'port' has to be from 1 to 65535")
    for step in scenario.broken:
        if step.on not in HOSTS:
            raise Mistake(f"{where}: the lab has no host '{step.on}'; it has {', '.join(HOSTS)}")


def load(path, causes=None):
    """One file. `causes`: those that the rules know, where they were read before."""
    path = pathlib.Path(path)
    where = path.name
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Mistake(f"{where}: {error}") from error
    _check(table, TYPES, REQUIRED, where)
    for number, step in enumerate(table.get("broken", []), 1):
        place = f"{where}, [[broken]] {number}"
        if not isinstance(step, dict):
            raise Mistake(f"{place}: has to be a table")
        _check(step, STEP_TYPES, STEP_TYPES, place)
    table["broken"] = [Step(**step) for step in table.get("broken", [])]
    scenario = Scenario(name=path.stem, **table)
    _check_values(scenario, known_causes() if causes is None else causes, where)
    return scenario


def load_all(names=()):
    """All of this folder, or those with these names (or files elsewhere), in order."""
    causes = known_causes()
    if not names:
        return [load(path, causes) for path in sorted(HERE.glob("*.toml"))]
    found = []
    for name in names:
        path = pathlib.Path(name) if name.endswith(".toml") else HERE / f"{name}.toml"
        if not path.exists():
            raise Mistake(f"there is no scenario '{name}'; tests/scenarios has {', '.join(sorted(p.stem for p in HERE.glob('*.toml')))}")
        found.append(load(path, causes))
    return found
