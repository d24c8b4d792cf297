"""Edges and nodes of SONATA: tables that Synfire reads, and what is wrong with files."""
import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import synfire
from synfire.sonata import NotSONATA, convert, main

h5py = pytest.importorskip("h5py", reason="h5py is not installed")
files = Path(__file__).parent/"sonata"
EDGES, TYPES, NODES = str(files/"edges.h5"), str(files/"edge_types.csv"), str(files/"nodes.h5")


def table(path):
    rows = list(csv.DictReader(open(path)))
    return {k: [float(r[k]) for r in rows] for k in rows[0]}


def test_edges(tmp_path):
    said = []
    assert convert(EDGES, tmp_path/"e.csv", TYPES, "exc_to_inh", nodes=NODES, say=said.append) == 6
    t = table(tmp_path/"e.csv")
    assert list(t) == ["pre", "post", "edge_type_id", "tau", "nsyns", "syn_weight", "delay"]
    assert t["pre"] == [0, 1, 2, 3, 3, 0] and t["post"] == [1, 0, 1, 0, 1, 1]
    assert t["syn_weight"] == [.5, 1, 1.5, 2, 2.5, 3]  # the edges' own, not their types'
    assert t["delay"] == [1.5, 1.5, 2.5, 2.5, 1.5, 2.5]
    assert said == ["left out, no numbers: dynamics_params, name, target_query"]


def test_groups(tmp_path):
    said = []
    convert(EDGES, tmp_path/"e.csv", TYPES, "two_groups", say=said.append)
    t = table(tmp_path/"e.csv")
    assert t["syn_weight"] == [20, 10, 12, 21, 11, 21] and t["delay"] == [9, 1.5, 2.5, 7, 1.5, 8]
    assert any("dist" in s for s in said) and "dist" not in t


def test_without_groups(tmp_path):
    convert(EDGES, tmp_path/"e.csv", TYPES, "plain")
    assert table(tmp_path/"e.csv")["syn_weight"] == [20, 20, 21, 21, 20, 21]


def test_blocks(tmp_path, monkeypatch):
    """The rows of a table do not depend on how many are read at a time."""
    monkeypatch.setattr("synfire.sonata.ROWS", 4)
    test_edges(tmp_path)
    test_groups(tmp_path)


def test_nodes(tmp_path):
    convert(NODES, tmp_path/"n.csv", str(files/"node_types.csv"), "exc")
    assert table(tmp_path/"n.csv") == {"node_id": [0, 1, 2, 3], "node_type_id": [1]*4, "x": [0, .25, .5, .75], "V_th": [-50.5]*4}


def test_run(tmp_path):
    """The whole way: from the file to synapses."""
    convert(EDGES, tmp_path/"e.csv", TYPES, "exc_to_inh")
    (tmp_path/"m.star").write_text("""
E = load_table('e.csv')
A = NeuronGroup(4, 'v : 1', threshold='v > 1')
B = NeuronGroup(2, 'v : 1')
S = Synapses(A, B, 'w : 1', on_pre='v_post += w')
S.connect(i=E['pre'], j=E['post'])
S.w = E['syn_weight']
S.delay = E['delay']*ms
run(1*ms)
print(list(S.i), list(S.j), list(S.w), list(S.delay/ms))
""")
    assert synfire.run(tmp_path/"m.star").printed.strip() == "[0, 1, 2, 3, 3, 0] [1, 0, 1, 0, 1, 1] [0.5, 1.0, 1.5, 2.0, 2.5, 3.0] [1.5, 1.5, 2.5, 2.5, 1.5, 2.5]"


def test_parquet(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    convert(EDGES, tmp_path/"e.parquet", TYPES, "exc_to_inh")
    t = pq.read_table(tmp_path/"e.parquet")
    assert str(t.schema.field("pre").type) == "int64" and t["syn_weight"].to_pylist() == [.5, 1, 1.5, 2, 2.5, 3]


def test_as_libsonata_reads(tmp_path):
    libsonata = pytest.importorskip("libsonata", reason="libsonata is not installed")
    convert(EDGES, tmp_path/"e.csv", TYPES, "exc_to_inh")
    t, p = table(tmp_path/"e.csv"), libsonata.EdgeStorage(EDGES).open_population("exc_to_inh")
    every = p.select_all()
    assert t["pre"] == p.source_nodes(every).tolist() and t["post"] == p.target_nodes(every).tolist()
    assert t["syn_weight"] == p.get_attribute("syn_weight", every).tolist() and t["nsyns"] == p.get_attribute("nsyns", every).tolist()


def damage(do):
    def changed(path):
        with h5py.File(path, "r+") as f:
            do(f["edges/exc_to_inh"])
    return changed


def replace(g, name, values):
    del g[name]
    g[name] = values


@pytest.mark.parametrize("do, options, want", [
    (lambda path: path.write_bytes(path.read_bytes()[:3000]), {}, "edges.h5 is no HDF5 file, or a damaged one"),
    (lambda path: path.write_text("pre,post"), {}, "edges.h5 is no HDF5 file, or a damaged one"),
    (lambda path: path.unlink(), {}, "there is no file"),
    (lambda path: shutil.copy(NODES, path), {"population": None}, "edges.h5: /nodes has the populations exc, inh: --population names one"),
    (damage(lambda g: replace(g.parent, "exc_to_inh", [1])), {}, "/edges has the populations plain, two_groups: there is no exc_to_inh"),
    (damage(lambda g: g.__delitem__("target_node_id")), {}, "edges.h5: /edges/exc_to_inh has no dataset target_node_id; it has 0, edge_group_id"),
    (damage(lambda g: replace(g, "target_node_id", [1, 0, 1])), {}, "/edges/exc_to_inh/target_node_id has 3 rows, edge_type_id 6"),
    (damage(lambda g: replace(g, "target_node_id", np.zeros((6, 2), int))), {}, "/edges/exc_to_inh/target_node_id must be one row of whole numbers, it is int64 of the shape (6, 2)"),
    (damage(lambda g: replace(g, "source_node_id", [0., 1, 2, 3, 4, 5])), {}, "/edges/exc_to_inh/source_node_id must be one row of whole numbers, it is float64"),
    (damage(lambda g: replace(g, "source_node_id", [0, 1, -2, 3, 4, 5])), {}, "/edges/exc_to_inh/source_node_id: row 2 names node -2"),
    (damage(lambda g: g["source_node_id"].__setitem__(4, 4)), {"nodes": NODES}, "/edges/exc_to_inh/source_node_id: row 4 names node 4, there are 4"),
    (damage(lambda g: g["target_node_id"].__setitem__(5, 9)), {"nodes": 4}, "/edges/exc_to_inh/target_node_id: row 5 names node 9, there are 4"),
    (damage(lambda g: g["edge_group_index"].__setitem__(3, 6)), {}, "/edges/exc_to_inh/edge_group_index: row 3 is 6, /edges/exc_to_inh/0/"),
    (damage(lambda g: g["edge_group_id"].__setitem__(1, 7)), {}, "/edges/exc_to_inh/edge_group_id: row 1 names group 7; there are 0"),
    (damage(lambda g: g["edge_type_id"].__setitem__(2, 5)), {}, "/edges/exc_to_inh: row 2, of type 5 and group 0, has no number for delay"),
    (damage(lambda g: replace(g, "edge_type_id", np.full(6, 2**63, "u8"))), {}, "/edges/exc_to_inh/edge_type_id holds 9223372036854775808: whole numbers below 2^63 were expected"),
    (damage(lambda g: replace(g["0"], "nsyns", np.full(6, 2**64-1, "u8"))), {}, "/edges/exc_to_inh/0/nsyns holds 18446744073709551615"),
    (damage(lambda g: g["0/syn_weight"].__setitem__(2, np.nan)), {}, "/edges/exc_to_inh: row 2: syn_weight is nan"),
    (lambda path: None, {"columns": ["weight"]}, "has no attribute weight in its groups or types: there are tau, nsyns, syn_weight, delay"),
    (lambda path: None, {"columns": ["name"]}, "has no attribute name in its groups or types: it holds no numbers"),
    (lambda path: None, {"to": "e.npy"}, "the table's name must end in .parquet or .csv"),
    (lambda path: None, {"types": "nothing.csv"}, "No such file"),
    (lambda path: None, {"types": EDGES}, "edges.h5: "),
])
def test_wrong(tmp_path, do, options, want):
    path = tmp_path/"edges.h5"
    shutil.copy(EDGES, path)
    do(path)
    with pytest.raises(NotSONATA) as e:
        convert(path, tmp_path/options.pop("to", "e.csv"), **{"types": TYPES, "population": "exc_to_inh"} | options)
    assert want in str(e.value)
    assert not list(tmp_path.glob("e.*"))  # nothing half written


@pytest.mark.parametrize("text, want", [
    ("type delay\n1 2\n", "line 1 must name the columns, with edge_type_id among them"),
    ("edge_type_id delay\n100 2\n101\n", "line 3 has 1 fields, line 1 names 2"),
    ("edge_type_id delay\n100 2\n100 3\n", "line 3: edge_type_id 100 stands there twice"),
    ("edge_type_id delay\nx 2\n", "line 2: edge_type_id is no whole number"),
])
def test_wrong_types(tmp_path, text, want):
    (tmp_path/"t.csv").write_text(text)
    with pytest.raises(NotSONATA, match=want):
        convert(EDGES, tmp_path/"e.csv", str(tmp_path/"t.csv"), "plain")


def test_command(tmp_path, capsys):
    main([EDGES, TYPES, str(tmp_path/"e.csv"), "--population", "exc_to_inh", "--columns", "syn_weight", "--nodes", NODES])
    assert list(table(tmp_path/"e.csv")) == ["pre", "post", "edge_type_id", "syn_weight"] and "6 rows" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="there is no file"):
        main(["nothing.h5", str(tmp_path/"e.csv")])
