"""Makes a brain of 200 neurons in the files that flywire.star reads: cells.csv and edges.parquet, of the columns and types of
Completeness_783.csv and Connectivity_783.parquet. The driven neurons have the published numbers, all else is drawn.

pip install pandas pyarrow numpy; python make.py
"""
import re

import numpy as np
import pandas as pd

rng = np.random.default_rng(1)
published = re.search(r"param\('driven', \[(.*?)\]", open("../../flywire.star").read(), re.S).group(1)
driven = [int(x) for x in published.split(",")]
n, m = 200, 3000
ids = np.sort(np.concatenate([driven, 720575940600000000 + rng.choice(60_000_000, n - len(driven), replace=False)]))
pd.DataFrame({"Completed": True}, index=ids).to_csv("cells.csv")
pre = rng.integers(0, n, m)
post = rng.integers(0, n, m)
sign = np.where(rng.random(n) < 1/3, -1, 1)[pre]
contacts = rng.geometric(0.05, m)
pd.DataFrame({"Presynaptic_ID": ids[pre], "Postsynaptic_ID": ids[post], "Presynaptic_Index": pre, "Postsynaptic_Index": post,
              "Connectivity": contacts, "Excitatory": sign, "Excitatory x Connectivity": sign*contacts}).to_parquet("edges.parquet")
