"""Edges and nodes of SONATA (HDF5) as tables that Synfire's load_table() reads.

    python -m synfire.sonata edges.h5 edge_types.csv edges.parquet    # then, in a script: E = load_table('edges.parquet')
    python -m synfire.sonata nodes.h5 node_types.csv nodes.csv

A row is an edge: pre and post (source and target node), edge_type_id, and each attribute that is a number: the edge's own of its group, or
else that of its type in the types file, as SONATA says. syn_weight has the unit of the model, delay is in ms. A row of nodes has node_id,
node_type_id and the attributes. --nodes N or nodes.h5 tells how many nodes sources and targets may name.

Needs h5py, and pyarrow to write Parquet (.csv needs nothing more, and is slow and large).
"""
import argparse
import csv
import os
import sys

import numpy as np

ROWS = 1 << 20  # at a time: the memory that is needed does not depend on how many there are


class NotSONATA(ValueError):
    """What is wrong with a file, and where."""


def convert(source, to, types=None, population=None, columns=None, nodes=None, say=lambda text: None):
    """Writes the edges or nodes of a file to a table and returns the number of rows. say() is told what is left out."""
    with _open(source) as f:
        kind, rows = _rows(f, source, types, population, columns, say)
        limits = [nodes, nodes] if nodes is None or isinstance(nodes, int) else [_count(nodes, rows.group, k) for k in ("source", "target")]
        part, n = f"{to}.part", 0
        try:
            with _writer(to, part, rows.kinds) as write:
                for start in range(0, rows.n, ROWS):
                    block = rows.read(start, min(start+ROWS, rows.n))
                    if kind == "edges":
                        for name, dataset, limit in zip(("pre", "post"), ("source_node_id", "target_node_id"), limits):
                            if limit is not None and (block[name] >= limit).any():
                                at = int(np.argmax(block[name] >= limit))
                                raise NotSONATA(f"{rows.where(dataset)}: row {start+at} names node {block[name][at]}, there are {limit}")
                    write(block)
                    n += len(next(iter(block.values())))
            os.replace(part, to)
        finally:
            if os.path.exists(part):
                os.remove(part)
    return n


def _open(path):
    import h5py

    try:
        return h5py.File(path, "r")
    except FileNotFoundError:
        raise NotSONATA(f"there is no file {path}") from None
    except OSError as e:
        raise NotSONATA(f"{path} is no HDF5 file, or a damaged one: {e}") from None


def _one(names, wanted, what):
    """The population that is meant: the one there is, or the one that is named."""
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted in names:
        return wanted
    raise NotSONATA(f"{what} has the populations {', '.join(names) or '(none)'}: " + ("--population names one" if wanted is None else f"there is no {wanted}"))


def _rows(f, path, types, population, columns, say):
    for kind in ("edges", "nodes"):
        if kind in f:
            name = _one([k for k in f[kind] if hasattr(f[kind][k], "keys")], population, f"{path}: /{kind}")
            return kind, Rows(f[kind][name], path, kind[:-1], _read_types(types, kind[:-1]), columns, say)
    raise NotSONATA(f"{path} has neither /edges nor /nodes: it has {', '.join(f) or 'nothing'}")


def _count(nodes, group, side):
    """How many nodes a file of nodes has in the population that an edge's source (target) belongs to."""
    with _open(nodes) as f:
        if "nodes" not in f:
            raise NotSONATA(f"{nodes} has no /nodes")
        meant = group[f"{side}_node_id"].attrs.get("node_population")
        meant = meant.decode() if isinstance(meant, bytes) else meant
        if meant is not None and meant not in f["nodes"]:
            return None  # it stands in another file
        name = _one(list(f["nodes"]), meant, f"{nodes}: /nodes")
        return len(Rows(f["nodes"][name], nodes, "node", {}, None, lambda text: None))


def _read_types(path, kind):
    """The types file: attributes by type, those that are numbers as numbers."""
    if path is None:
        return {}
    try:
        with open(path, newline="", encoding="utf-8") as f:
            table = list(csv.reader(f, delimiter=" ", skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise NotSONATA(f"{path}: {e}") from None
    table = [(line, row) for line, row in enumerate(table, 1) if row]
    if not table or f"{kind}_type_id" not in table[0][1]:
        raise NotSONATA(f"{path}: line 1 must name the columns, with {kind}_type_id among them, apart by blanks")
    head, types = table[0][1], {}
    for line, row in table[1:]:
        if len(row) != len(head):
            raise NotSONATA(f"{path}: line {line} has {len(row)} fields, line 1 names {len(head)}")
        values = dict(zip(head, row))
        try:
            key = int(values.pop(f"{kind}_type_id"))
        except ValueError:
            raise NotSONATA(f"{path}: line {line}: {kind}_type_id is no whole number") from None
        if key in types:
            raise NotSONATA(f"{path}: line {line}: {kind}_type_id {key} stands there twice")
        types[key] = {k: _number(v) for k, v in values.items() if v != "NULL"}
    return types


def _number(text):
    try:
        return float(text)
    except ValueError:
        return text


class Rows:
    """The edges or nodes of a population, with their attributes."""

    def __init__(self, group, path, kind, types, columns, say):
        import h5py

        self.group, self.path, self.kind, self.types = group, path, kind, types
        ids = {"edge": {"source_node_id": "pre", "target_node_id": "post"}, "node": {"node_id": "node_id"}}[kind]
        ids = {d: name for d, name in ids.items() if d in group or kind == "edge"} | {f"{kind}_type_id": f"{kind}_type_id"}
        self.ids = ids
        for d in ids:
            self.dataset(d, whole=True)
        self.n = len(group[f"{kind}_type_id"])
        groups = sorted((k for k in group if k.isdigit()), key=int)
        self.grouped = f"{kind}_group_id" in group
        for d in [*ids] + [f"{kind}_group_id", f"{kind}_group_index"]*self.grouped:
            if len(self.dataset(d, whole=True)) != self.n:
                raise NotSONATA(f"{self.where(d)} has {len(group[d])} rows, {kind}_type_id {self.n}")
        if not self.grouped and len(groups) > 1:
            raise NotSONATA(f"{self.where()} has the groups {', '.join(groups)}, but no {kind}_group_id to tell whose they are")
        # An attribute's dataset in each group; a folder in a group (dynamics_params) has further ones.
        self.groups, texts = {}, set()
        for g in groups:
            self.groups[int(g)] = found = {}

            def visit(name, d):
                if isinstance(d, h5py.Dataset) and name.split("/")[0] != "@library":
                    if d.ndim == 1 and d.dtype.kind in "iufb" and not h5py.check_enum_dtype(d.dtype):
                        found[name.removeprefix("dynamics_params/")] = d
                    else:
                        texts.add(name)
            group[g].visititems(visit)
        texts |= {k for t in types.values() for k, v in t.items() if isinstance(v, str)}
        names = list(dict.fromkeys([k for g in self.groups.values() for k in g] + [k for t in types.values() for k, v in t.items() if not isinstance(v, str)]))
        taken = set(self.ids.values())
        for k in columns or []:
            if k not in names and k not in taken:
                why = "it holds no numbers" if k in texts else f"there are {', '.join(names) or 'none'}"
                raise NotSONATA(f"{self.where()} has no attribute {k} in its groups" + (" or types" if types else "") + f": {why}")
        self.columns = [k for k in names if (k in columns if columns else self.everywhere(k, say))]
        if texts - set(names) and not columns:
            say(f"left out, no numbers: {', '.join(sorted(texts - set(names)))}")
        self.kinds = {name: "int64" for name in ids.values()} | {k: self.width(k) for k in self.columns}

    def __len__(self):
        return self.n

    def where(self, dataset=""):
        return f"{self.path}: {self.group.name}{'/'*bool(dataset)}{dataset}"

    def dataset(self, name, whole=False):
        if name not in self.group:
            raise NotSONATA(f"{self.where()} has no dataset {name}; it has {', '.join(self.group)}")
        d = self.group[name]
        if not hasattr(d, "dtype") or d.ndim != 1 or (whole and d.dtype.kind not in "iu"):
            raise NotSONATA(f"{self.where(name)} must be one row of whole numbers, it is " + (f"{d.dtype} of the shape {d.shape}" if hasattr(d, "dtype") else "a group"))
        return d

    def everywhere(self, name, say):
        """Whether each group, or each type, has the attribute; it is left out where not."""
        if (self.groups and all(name in g for g in self.groups.values())) or (self.types and all(isinstance(t.get(name), float) for t in self.types.values())):
            return True
        say(f"left out, since not all {self.kind}s may have it: {name} (--columns {name} takes it, if they have)")
        return False

    def width(self, name):
        """Whole numbers stay such where all groups have them."""
        kinds = {g[name].dtype.kind if name in g else "f" for g in self.groups.values()} or {"f"}
        return "int64" if kinds <= set("iub") else "float64"

    def read(self, start, end):
        """The rows from start to end, by column."""
        def part(d, name):
            try:
                return d[start:end]
            except OSError as e:
                raise NotSONATA(f"{self.where(name)} cannot be read, rows {start} to {end}: {e}") from None

        out = {}
        for d, name in self.ids.items():
            out[name] = _signed(part(self.group[d], d), self.where(d))
            if name != f"{self.kind}_type_id" and (out[name] < 0).any():
                at = int(np.argmax(out[name] < 0))
                raise NotSONATA(f"{self.where(d)}: row {start+at} names node {out[name][at]}")
        if self.grouped:
            whose, at = (part(self.group[f"{self.kind}_group_{x}"], f"{self.kind}_group_{x}").astype("int64") for x in ("id", "index"))
        else:
            whose, at = np.full(end-start, next(iter(self.groups), 0)), np.arange(start, end)
        there = np.unique(whose)
        for g in there:
            if int(g) not in self.groups and self.grouped and self.groups:
                raise NotSONATA(f"{self.where(self.kind+'_group_id')}: row {start+int(np.argmax(whose == g))} names group {g}; there are {', '.join(map(str, self.groups))}")
        kind, of = np.unique(out[f"{self.kind}_type_id"], return_inverse=True)
        for name in self.columns:
            values, missing = np.zeros(end-start, self.kinds[name]), np.ones(end-start, bool)
            if any(isinstance(self.types.get(int(k), {}).get(name), float) for k in kind):
                by_type = np.array([v if isinstance(v := self.types.get(int(k), {}).get(name), float) else np.nan for k in kind])[of]
                missing = np.isnan(by_type)
                values[~missing] = by_type[~missing]
            for g in there:
                d = self.groups.get(int(g), {}).get(name)
                if d is None:
                    continue
                mine = whose == g
                rows = at[mine]
                if len(rows) and (rows.min() < 0 or rows.max() >= len(d)):
                    bad = int(np.argmax(mine & ((at < 0) | (at >= len(d)))))
                    raise NotSONATA(f"{self.where(self.kind+'_group_index')}: row {start+bad} is {at[bad]}, {d.name} has {len(d)} rows" if self.grouped
                                    else f"{self.path}: {d.name} has {len(d)} rows, {self.kind}_type_id {self.n}")
                if len(rows):
                    low = int(rows.min())
                    try:
                        own = d[low:int(rows.max())+1][rows-low]
                        values[mine] = _signed(own, f"{self.path}: {d.name}") if values.dtype.kind == "i" else own
                    except OSError as e:
                        raise NotSONATA(f"{self.path}: {d.name} cannot be read: {e}") from None
                missing[mine] = False
            if missing.any():
                k = int(np.argmax(missing))
                t = int(out[f"{self.kind}_type_id"][k])
                raise NotSONATA(f"{self.where()}: row {start+k}, of type {t} and group {whose[k]}, has no number for {name}, neither its own nor its type's")
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                k = int(np.argmax(~np.isfinite(values)))
                raise NotSONATA(f"{self.where()}: row {start+k}: {name} is {values[k]} (--columns names those to take)")
            out[name] = values
        return out


def _signed(values, where):
    """Whole numbers as tables have them."""
    if values.dtype.kind == "u" and (values > 2**63-1).any():
        raise NotSONATA(f"{where} holds {values.max()}: whole numbers below 2^63 were expected")
    return values.astype("int64")


class _writer:
    """A table that grows: .parquet or .csv."""

    def __init__(self, to, part, kinds):
        self.parquet = str(to).lower().endswith((".parquet", ".pq"))
        if not self.parquet and not str(to).lower().endswith(".csv"):
            raise NotSONATA(f"{to}: the table's name must end in .parquet or .csv")
        self.part, self.kinds = part, kinds

    def __enter__(self):
        if self.parquet:
            try:
                import pyarrow
                import pyarrow.parquet
            except ImportError:
                raise NotSONATA("writing Parquet needs pyarrow (pip install pyarrow); a name that ends in .csv does not") from None
            schema = pyarrow.schema([(k, t) for k, t in self.kinds.items()])
            self.file = pyarrow.parquet.ParquetWriter(self.part, schema)
            return lambda block: self.file.write_table(pyarrow.table(block, schema=schema))
        self.file = open(self.part, "w", newline="", encoding="utf-8")
        w = csv.writer(self.file)
        w.writerow(self.kinds)
        return lambda block: w.writerows(zip(*(block[k].tolist() for k in self.kinds)))

    def __exit__(self, *_):
        self.file.close()


def main(arguments=None):
    p = argparse.ArgumentParser(prog="python -m synfire.sonata", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", help="edges or nodes: .h5")
    p.add_argument("types", nargs="?", help="edge_types.csv or node_types.csv")
    p.add_argument("to", help="the table: .parquet or .csv")
    p.add_argument("--population", help="where the file has several")
    p.add_argument("--columns", nargs="+", help="attributes that are taken; all numbers else")
    p.add_argument("--nodes", help="a number, or a file of nodes: edges name no others")
    a = p.parse_args(arguments)
    nodes = int(a.nodes) if a.nodes and a.nodes.isdigit() else a.nodes
    try:
        n = convert(a.file, a.to, a.types, a.population, a.columns, nodes, lambda text: print(text, file=sys.stderr))
    except (NotSONATA, OSError) as e:
        sys.exit(f"synfire.sonata: {e}")
    print(f"{a.to}: {n} rows")


if __name__ == "__main__":
    main()
