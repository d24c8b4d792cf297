"""Makes the files beside it: a circuit of two populations in SONATA (github.com/AllenInstitute/sonata, docs/SONATA_DEVELOPER_GUIDE.md).

    python make.py      # h5py 3.15.1; libsonata 0.2.2 reads the same from them (test_sonata.py, where it is installed)
"""
from pathlib import Path

import h5py
import numpy as np

here = Path(__file__).parent
integers = {"source_node_id": [0, 1, 2, 3, 3, 0], "target_node_id": [1, 0, 1, 0, 1, 1], "edge_type_id": [100, 100, 101, 101, 100, 101]}


def edges(group, columns, compression="gzip"):
    for name, values in columns.items():
        group.create_dataset(name, data=np.array(values, "u8" if name.endswith("node_id") else "i8"), chunks=(4,), compression=compression)
    group["source_node_id"].attrs["node_population"] = "exc"
    group["target_node_id"].attrs["node_population"] = "inh"


with h5py.File(here/"edges.h5", "w") as f:
    f.attrs["magic"], f.attrs["version"] = np.uint32(0x0A7A), [np.uint32(0), np.uint32(1)]
    # One group, in which each edge has a weight of its own; the delay is its type's.
    one = f.create_group("edges/exc_to_inh")
    edges(one, integers | {"edge_group_id": [0]*6, "edge_group_index": range(6)}, None)  # libsonata has no gzip
    one["0/syn_weight"] = np.array([.5, 1, 1.5, 2, 2.5, 3])
    one["0/nsyns"] = np.array([1, 2, 3, 1, 2, 3], "i4")
    one["0/dynamics_params/tau"] = np.full(6, 5.)
    one["0"].create_dataset("name", data=["a", "b", "c", "d", "e", "f"], dtype=h5py.string_dtype())
    # Two groups in any order: those of the second have no weight but their type's.
    two = f.create_group("edges/two_groups")
    edges(two, integers | {"edge_group_id": [1, 0, 0, 1, 0, 1], "edge_group_index": [2, 0, 2, 0, 1, 1]})
    two["0/syn_weight"], two["0/dist"] = [10., 11., 12.], [1., 2., 3.]
    two["1/delay"] = [7., 8., 9.]
    # As circuits without groups' columns are written.
    edges(f.create_group("edges/plain"), integers)
(here/"edge_types.csv").write_text('edge_type_id target_query syn_weight delay dynamics_params\n100 "ei==\'i\' & pop==\'a b\'" 20 1.5 static.json\n101 * 21 2.5 NULL\n')

with h5py.File(here/"nodes.h5", "w") as f:
    for name, n in (("exc", 4), ("inh", 2)):
        g = f.create_group(f"nodes/{name}")
        g["node_id"], g["node_type_id"] = np.arange(n, dtype="u8"), np.full(n, 1, "i8")
        g["node_group_id"], g["node_group_index"] = np.zeros(n, "u2"), np.arange(n, dtype="u8")
        g["0/x"] = np.arange(n)*.25
(here/"node_types.csv").write_text("node_type_id V_th ei\n1 -50.5 e\n")
