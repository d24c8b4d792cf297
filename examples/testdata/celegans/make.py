"""Makes celegans.csv of S1 Data of Fenyves et al. (2020), https://doi.org/10.1371/journal.pcbi.1007974.s003, an Excel workbook; and prints the
names of the cells, by their numbers, as celegans.star has them.

pip install openpyxl; python make.py journal.pcbi.1007974.s003.xlsx
"""
import sys

import openpyxl

sheet = openpyxl.load_workbook(sys.argv[1], data_only=True)["5. Sign prediction"]
rows = [(r[0], r[3], r[4], r[16]) for r in sheet.iter_rows(min_row=3, values_only=True) if r[0]]
names = sorted({a for a, *_ in rows} | {b for _, b, *_ in rows})
sign = {"+": 1, "-": -1, "complex": 2, "no pred": 0}
with open("../../celegans.csv", "w") as f:
    f.write("""# Chemical synapses between neurons of the adult hermaphrodite of C. elegans, with their predicted effect. What is said of it: celegans.md
# Source: B. G. Fenyves, G. S. Szilagyi, Z. Vassy, C. Soti and P. Csermely (2020), "Synaptic polarity and sign-balance prediction using gene
# expression data in the Caenorhabditis elegans chemical synapse neuronal connectome network", PLoS Comput Biol 16(12): e1007974,
# doi 10.1371/journal.pcbi.1007974, S1 Data, sheet "5. Sign prediction"; (c) 2020 Fenyves et al., CC BY 4.0. Changed: neurons are numbered in the
# order of their names, and the effect is a number: 1 excites, -1 inhibits, 2 receptors of both kinds ("complex"), 0 no prediction.
pre,post,synapses,effect
""")
    for a, b, n, s in rows:
        f.write(f"{names.index(a)},{names.index(b)},{n},{sign[s]}\n")
print(" ".join(names))
