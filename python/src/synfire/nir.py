"""Files of NIR (neuroir.org) as the JSON that Synfire's load_nir() reads, and back.

    python -m synfire.nir net.nir net.json        # then, in a script: G = load_nir('net.json')
    python -m synfire.nir net.json net.nir        # of what print(G.json()) gave

Needs the package nir (pip install nir).
"""
import json
import sys
from pathlib import Path

import numpy as np


# Parameters that are whole numbers.
WHOLE = ("shape", "input_shape", "input_type", "start_dim", "end_dim", "stride", "padding", "dilation", "groups", "kernel_size")


def to_json(graph):
    """A graph of the package nir as text."""
    def plain(x):
        if isinstance(x, dict):
            return {k: plain(v) for k, v in x.items() if v is not None and not (k == "metadata" and not v)}
        if isinstance(x, np.ndarray):
            return plain(x.tolist())
        if isinstance(x, np.generic):
            return x.item()
        if isinstance(x, bytes):
            return x.decode()
        if isinstance(x, (list, tuple)):
            return [plain(v) for v in x]
        return x
    return json.dumps(plain(graph.to_dict()))


def from_json(text):
    """The graph of a text."""
    import nir

    def arrays(node):
        node = dict(node)
        for k, v in node.items():
            if k == "nodes":
                node[k] = {name: arrays(x) for name, x in v.items()}
            elif k == "edges":
                node[k] = [tuple(e) for e in v]
            elif k in WHOLE:
                node[k] = np.array(v, dtype=int) if isinstance(v, list) else v
            elif isinstance(v, (list, float)):
                node[k] = np.array(v, dtype=float)
        return node
    return nir.dict2NIRNode(arrays(json.loads(text)))


def main(source, target):
    import nir
    if Path(source).suffix == ".json":
        nir.write(target, from_json(Path(source).read_text()))
    else:
        Path(target).write_text(to_json(nir.read(source)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
