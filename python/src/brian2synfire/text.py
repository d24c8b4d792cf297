"""Brian2's quantities, equations and names as text of Synfire's script language."""
import keyword
import math
import re

import numpy as np
from brian2.units import allunits
from brian2.equations.equations import DIFFERENTIAL_EQUATION, PARAMETER
from brian2.units import Quantity
from brian2.units.fundamentalunits import DIMENSIONLESS, get_unit

BASE = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candela")
NAMED = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "volt", "siemens", "farad", "ohm", "hertz", "coulomb", "joule", "watt", "newton", "pascal")
UNITS = {getattr(allunits, name).dim: name for name in reversed(NAMED)}


def unit(dim):
    """The SI unit of a dimension: volt, or a product of the base units."""
    if dim is DIMENSIONLESS or dim.is_dimensionless:
        return "1"
    if dim in UNITS:
        return UNITS[dim]
    for name in ("second", "volt", "amp", "metre"):  # siemens/second, volt/second, amp/metre**2 and the like
        for power in (1, 2):
            rest = get_unit(dim).dim * getattr(allunits, name).dim**power
            if rest in UNITS:
                return f"{UNITS[rest]}/{name}" + (f"**{power}" if power > 1 else "")
    return "*".join(f"{b}**{number(float(d))}" for b, d in zip(BASE, dim._dims) if d)


def number(x):
    """A number as it is read back to the last bit."""
    if isinstance(x, (bool, np.bool_)):
        return str(bool(x))
    if isinstance(x, (int, np.integer)):
        return str(int(x))
    x = float(x)
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    if math.isnan(x):
        return "nan"
    return repr(int(x)) if x.is_integer() and abs(x) < 1e15 and not (x == 0 and math.copysign(1, x) < 0) else repr(x)


def quantity(value, dim=None):
    """A scalar with its unit: 0.01*second. Floats stay floats, so that integer arithmetic is Brian2's."""
    if dim is None:
        dim = getattr(value, "dim", DIMENSIONLESS)
    value = np.asarray(value).item()
    u = unit(dim)
    if u == "1":
        return repr(value) if isinstance(value, float) and math.isfinite(value) else number(value)
    return f"{number(value)}*{u}"


def in_expression(value, dim=None):
    """The same within another expression."""
    return f"({quantity(value, dim)})"


def unit_of_equation(eq):
    from brian2.equations.equations import BOOLEAN, INTEGER
    return {BOOLEAN: "boolean", INTEGER: "integer"}.get(eq.var_type) or unit(eq.dim)


def equation(eq, flags=None):
    """One line of a model."""
    flags = eq.flags if flags is None else flags
    tail = f" : {unit_of_equation(eq)}" + (f" ({', '.join(flags)})" if flags else "")
    if eq.type == PARAMETER:
        return eq.varname + tail
    left = f"d{eq.varname}/dt" if eq.type == DIFFERENTIAL_EQUATION else eq.varname
    return f"{left} = {one_line(eq.expr.code)}{tail}"


def one_line(code):
    return " ".join(str(code).split())


def quoted(s):
    """A text of Starlark, over several lines where it has several."""
    s = str(s)
    if "\n" in s and "'''" not in s and "\\" not in s and not s.endswith("'"):
        return f"'''{s}'''"
    return "'" + s.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", " ").replace("\r", "") + "'"


def identifier(name, taken):
    """A name of the script for an object of Brian2."""
    name = re.sub(r"\W", "_", name)
    while name in taken or keyword.iskeyword(name) or not name.isidentifier():
        name = name + "_" if name[:1].isidentifier() else "x" + name
    return name


def arguments(*positional, **named):
    """The inside of a call: arguments that are None are left out."""
    return ", ".join([*positional, *(f"{k}={v}" for k, v in named.items() if v is not None)])


ASSIGNED = re.compile(r"^\s*([A-Za-z_]\w*)\s*(?:[-+*/%]|\*\*|//)?=(?!=)", re.MULTILINE)


def without_comments(code):
    return re.sub("#.*", "", str(code))


def assigned(code):
    """The names that statements assign."""
    return set(ASSIGNED.findall(without_comments(code).replace(";", "\n")))


def of_quantity(x):
    """(value, dimension) of what a user handed over."""
    return np.asarray(x), x.dim if isinstance(x, Quantity) else DIMENSIONLESS
