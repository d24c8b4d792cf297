"""Writes random networks, in words that Brian2 and Synfire share.

write(seed) gives the text of a script. It is built of lines that can be taken out one by one (one argument, equation or statement to a line), so that
shrink.py needs to know nothing about the language. A feature of the language is added here as one more method or one more choice; what both sides do not
write alike goes into the words at the end of the script's other half, brian.py and synfire.py.

Nothing is drawn inside a model: what is random are the numbers in the text. Numbers have three digits at most and no simple ratios, so that few
thresholds are met exactly, where rounding alone decides.
"""
import math
import random
from dataclasses import dataclass, field

UNIT = {"1": ("", 1), "volt": ("*mV", 20), "amp": ("*pA", 200), "siemens": ("*nS", 10)}


@dataclass
class Variable:
    name: str
    dim: str
    kind: str  # state: drives v; sink: takes anything; param, int, bool, sub


@dataclass
class Group:
    name: str
    n: int
    size: int = 0  # of the whole group, if this is a part
    variables: list = field(default_factory=list)
    events: list = field(default_factory=list)  # "spike" and others
    step: float = 0  # of a generator, ms
    whole: "Group" = None

    def of(self, *kinds):
        return [v for v in self.variables if v.kind in kinds]


class Writer:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.lines, self.indent, self.k = [], "", 0
        self.dt = self.r.choice([0.1, 0.1, 0.1, 0.2, 0.25, 0.5])  # ms
        self.slow = self.dt/0.1  # times grow with the step, so that 200 steps show something
        self.learns = self.r.choice([0, 0.5, 1])  # how many of the Synapses learn
        self.clocks = self.chance(0.35)  # objects may have steps of their own

    # -- words
    def out(self, *lines):
        self.lines += [self.indent + x for x in lines]

    def name(self, stem):
        self.k += 1
        return f"{stem}{self.k}"

    def chance(self, p):
        return self.r.random() < p

    def num(self, low, high):
        return float("%.3g" % self.r.uniform(low, high))

    def value(self, x, dim):
        unit, scale = UNIT[dim]
        return f"{x*scale:.4g}{unit}"

    def ms(self, low, high):
        return f"{self.num(low, high)*self.slow:.4g}*ms"

    def clock(self, p=0.4):
        """dt= of an object, a multiple or a part of the default clock's, or nothing."""
        if not self.clocks or not self.chance(p):
            return []
        return [f"dt={self.dt*self.r.choice([2, 3, 5, 0.5, 1.5, 2.5, 0.75, 1]):.5g}*ms"]

    def wide(self):
        """A weight of any magnitude: 1e-12 to 1e6."""
        return float("%.3g" % (10**self.r.uniform(-12, 6)*self.r.choice([1, 1, -1])))

    def constant(self, text):
        """Stands for itself, or for a name of the script that holds it."""
        if self.chance(0.4):
            name = self.name("c")
            self.names.append((name, text))
            self.out(f"{name} = {text}")
            return name
        return text if text.replace(".", "").isdigit() else f"({text})"

    def call(self, left, args):
        """A call with one argument to a line, texts of several lines in ''' '''."""
        self.out(left + "(")
        for a in args:
            if isinstance(a, tuple):
                key, texts = a
                self.out(f"    {key}'''")
                self.lines += [self.indent + "        " + t for t in texts]
                self.out("    ''',")
            else:
                self.out(f"    {a},")
        self.out(")")

    # -- expressions without dimension, of bounded size
    def atom(self, g):
        v = self.r.choice(g.of("state", "param", "int", "bool") + [None]*2)
        if v is None:
            return self.r.choice([f"{self.num(0.1, 2)}", "i", "i/N", f"sin(2*pi*{self.num(20, 90)}*Hz*t)", f"t/({self.ms(3, 20)})"])
        if v.kind == "bool":
            return f"int({v.name})"
        unit = UNIT[v.dim]
        return v.name if v.dim == "1" else f"{v.name}/({unit[1]}{unit[0]})"

    def expression(self, g, depth=2):
        if depth == 0:
            return self.atom(g)
        a, b = self.expression(g, depth - 1), self.expression(g, self.r.randrange(depth))
        return self.r.choice(["({a} + {b})", "({a} - {b})", "{a}*{b}", "({a})*0.5", "{a}/(1.5 + abs({b}))", "tanh({a})", "sin({a})", "cos({a})", "exp(-abs({a}))", "sqrt(abs({a}) + 0.1)",
            "log(1.2 + abs({a}))", "clip({a}, -0.7, {b})", "arctan({a})", "int({a} > {b})", "({a})**2", "1/(1 + exp(-{a}))", "expm1(-abs({a}))", "abs({a} - {b})", "exprel(-abs({a}))", "log1p(abs({a}))",
            "sign({a} - 0.3)", "floor({a})", "({a} % 1.7)"]).format(a=a, b=b)

    def bounded(self, g):
        return self.r.choice(["sin({})", "tanh({})", "clip({}, -1, 1)", "arctan({})"]).format(self.expression(g))

    def condition(self, g):
        a, b = self.atom(g), self.atom(g)
        return self.r.choice([f"{a} > {self.num(0.2, 0.9)}", f"{a} < {b}", f"i % 2 == 0", f"{a} > 0.3 and not ({b} > 0.713)", f"({a} > 0.4) or i == 1", "i >= N/2", f"t > {self.ms(2, 6)}"])

    # -- populations
    def population(self):
        n, name = self.r.randint(1, 7), self.name("G")
        g = Group(name, n, n)
        add = lambda nm, dim, kind: g.variables.append(Variable(nm, dim, kind))
        dim = self.r.choice(["1", "1", "volt"])
        S = "1" if dim == "1" else "(20*mV)"
        E, tau, ts, tu = (self.constant(t) for t in (self.value(self.num(0.6, 1.9), dim), self.ms(3, 20), self.ms(1, 8), self.ms(2, 9)))
        add("v", dim, "state")
        refractory = self.chance(0.6)
        flag = " (unless refractory)" if refractory and self.chance(0.8) else ""
        add("p", "1", "param")
        eqs, method = ["p : 1" + self.r.choice(["", " (constant)"])], None
        form = self.r.choice(["linear", "linear", "alpha", "conductance", "siemens", "quadratic", "exponential", "gates", "random", "parameter"])
        if form == "siemens":
            dim, S = "volt", "(20*mV)"
            g.variables[0].dim = dim
        any_method = ["euler", "rk2", "rk4", "heun", "exponential_euler"]
        if form in ("linear", "alpha"):
            fed = "y" if form == "alpha" else "x"
            eqs += [f"dv/dt = ({E} - v + {fed})/{tau} : {dim}{flag}", f"dx/dt = -x/{ts} : {dim}"]
            if form == "alpha":
                eqs += [f"dy/dt = (x - y)/{tu} : {dim}"]
                add("y", dim, "state")
            add("x", dim, "state")
            method = self.r.choice(any_method + ["exact"]*3 + [None])
        elif form == "parameter":
            eqs += [f"dv/dt = (x - v)/q : {dim}{flag}", f"x : {dim}", "q : second (constant)"]
            add("x", dim, "state")
            method = self.r.choice(any_method + ["exact", None])
        elif form == "conductance":
            eqs += [f"dv/dt = ({E} - v + x*({self.value(3.5, dim)} - v) + y*({self.value(-0.5, dim)} - v))/{tau} : {dim}{flag}", f"dx/dt = -x/{ts} : 1", f"dy/dt = -y/{tu} : 1"]
            add("x", "1", "state"), add("y", "1", "state")
            method = self.r.choice(any_method + ["exponential_euler", None])
        elif form == "siemens":
            eqs += [f"dv/dt = (I - 10*nS*(v - 3*mV) + x*(70*mV - v))/(100*pF) : volt{flag}", f"dx/dt = -x/{ts} : siemens", f"I = {self.value(self.num(0.6, 1.6), 'amp')} + y : amp", f"dy/dt = -y/{tu} : amp"]
            add("x", "siemens", "state"), add("y", "amp", "state"), add("I", "amp", "sub")
            method = self.r.choice(any_method + ["exponential_euler", None])
        elif form == "quadratic":
            eqs += [f"dv/dt = ({E} + v*(v/{S} - 0.4) - x)/{tau} : {dim}{flag}", f"dx/dt = (0.2*v - x)/{ts} : {dim}"]
            add("x", dim, "state")
            method = self.r.choice(["euler", "rk2", "rk4", "heun", None])
        elif form == "exponential":
            eqs += [f"dv/dt = ({E} - v + 0.1*{S}*exp((v - 0.9*{S})/(0.11*{S})) + x)/{tau} : {dim}{flag}", f"dx/dt = -x/{ts} : {dim}"]
            add("x", dim, "state")
            method = self.r.choice(["euler", "rk2", "rk4", None])
        elif form == "gates":
            eqs += [f"dv/dt = ({E} - v + m*h*{S})/{tau} : {dim}{flag}", f"dm/dt = (minf - m)/{ts} : 1", f"minf = 1/(1 + exp((0.5*{S} - v)/(0.13*{S}))) : 1", f"dh/dt = (1 - h)*0.2/ms - h*exprel(clip(v/{S}, -4, 4))/({self.ms(2, 5)}) : 1"]
            add("m", "1", "state"), add("h", "1", "state"), add("minf", "1", "sub")
            method = self.r.choice(["euler", "rk2", "exponential_euler", "exponential_euler", None])
        else:
            eqs += [f"x : {dim}"]
            add("x", dim, "param")
            eqs += [f"dv/dt = ({E} - v + x + 0.8*{S}*{self.bounded(g)})/{tau} : {dim}{flag}"]
            method = self.r.choice(["euler", "rk2", "rk4", "heun", None])
        if self.timed and self.chance(0.6):
            t = self.r.choice(self.timed)
            eqs.append(f"J = {t[0]} : {t[1]}")
            add("J", t[1], "sub")
            k = next(k for k, e in enumerate(eqs) if e.startswith("dv/dt"))
            head, rest = eqs[k].rsplit(" : ", 1)
            if t[1] == dim:
                eqs[k] = f"{head} + 0.3*J/{tau} : {rest}"
            elif t[1] == "1":
                eqs[k] = f"{head} + 0.3*J*{S}/{tau} : {rest}"
        if self.chance(0.4):
            eqs.append("k : integer"), add("k", "1", "int")
        if self.chance(0.3):
            eqs.append("b : boolean"), add("b", "1", "bool")
        for _ in range(self.r.choice([0, 0, 1, 2])):
            s = self.name("s")
            eqs.append(f"{s} = {self.expression(g)} : 1" + self.r.choice(["", "", " (constant over dt)"])), add(s, "1", "sub")
        for _ in range(self.r.choice([0, 1, 1, 2, 3])):
            z, zd = self.name("z"), self.r.choice(["1", "1", dim])
            eqs.append(self.r.choice([f"{z} : {zd}", f"d{z}/dt = -{z}/({self.ms(2, 30)}) : {zd}"])), add(z, zd, "sink")
            if eqs[-1] == f"{z} : {zd}":
                self.summable.add(f"{name}.{z}")
        rp = refractory and self.chance(0.3)
        if rp:
            eqs.append("rp : second")
        self.r.shuffle(eqs)
        args = [str(n), ("", eqs)]
        if self.chance(0.9) or form in ("quadratic", "exponential"):  # these pass every bound without a reset
            g.events.append("spike")
            th = self.constant(self.value(1.3 if form == "exponential" else self.num(0.7, 1.1), dim))
            args.append(f"threshold='v > {th}" + (f" and {self.condition(g)}'" if self.chance(0.15) else "'"))
            args.append(("reset=", self.reset(g, dim)))
            if refractory:
                # a refractory period a tenth of a step off the grid: no side may round it to the other step
                args.append("refractory=" + (f"'rp'" if rp else self.r.choice([self.ms(0.5, 4), self.ms(0.5, 4), f"'{self.ms(1, 2)} + {self.ms(0.2, 0.5)}*i'", f"'v > {self.value(0.55, dim)}'", f"'(2 + i % 3)*{self.ms(0.5, 1)}'"])))
        elif refractory:
            flag and eqs.__setitem__(slice(None), [e.replace(" (unless refractory)", "") for e in eqs])
        if self.chance(0.35):
            ev = self.name("ev")
            g.events.append(ev)
            args.append(f"events={{'{ev}': '{self.condition(g)} and v > {self.value(self.num(0.3, 0.8), dim)}'}}")
        if method:
            args.append(f"method='{method}'")
        args += self.clock()
        self.call(f"{name} = NeuronGroup", args)
        self.objects.append(name)
        self.out(f"{name}.v = " + self.r.choice([self.value(self.num(0, 0.9), dim), f"'{self.value(0.9, dim)}*i/N'", f"[{', '.join(str(self.num(0, 0.9)*UNIT[dim][1]) for _ in range(n))}]" + UNIT[dim][0]]))
        self.out(f"{name}.p = " + self.r.choice([f"{self.num(0.2, 1.5)}", "'0.31 + i/N'"]))
        if form == "parameter":
            self.out(f"{name}.x = '{self.value(1.1, dim)} + {self.value(0.23, dim)}*i'", f"{name}.q = " + self.r.choice([self.ms(4, 12), f"'{self.ms(4, 9)} + i*ms'"]))
        if rp:
            self.out(f"{name}.rp = '{self.ms(0.5, 2)} + i*{self.ms(0.1, 0.4)}'")
        for v in g.of("sink"):
            if self.chance(0.3):
                self.out(f"{name}.{v.name} = {self.value(self.num(-2, 2), v.dim)}")
        for ev in g.events[-1:]:
            if ev != "spike":
                self.out(f"{name}.run_on_event('{ev}', '{'; '.join(self.statements(g))}')")
        if self.chance(0.25):
            dt = self.r.choice(["", f", dt={self.dt*self.r.randint(2, 9):.4g}*ms"])
            dt = "".join(", " + c for c in self.clock()) or dt
            self.out(f"{name}.run_regularly('{'; '.join(self.statements(g))}'{dt})")
        self.groups.append(g)
        return g

    def statements(self, g):
        found = []
        for _ in range(self.r.choice([1, 1, 2, 3])):
            v = self.r.choice(g.of("sink", "int", "bool", "state")[1:] or g.of("state"))
            if v.kind == "int":
                found.append(f"{v.name} " + self.r.choice(["+= 1", "+= 2 - i % 2", f"= {v.name} + int({self.condition(g)})"]))
            elif v.kind == "bool":
                found.append(f"{v.name} = not {v.name}" if self.chance(0.5) else f"{v.name} = {self.condition(g)}")
            elif self.chance(0.3):
                found += [f"u1 = {self.bounded(g)}", f"{v.name} += u1*{self.value(self.num(0.05, 0.3), v.dim)}"]
            else:
                found.append(f"{v.name} " + self.r.choice([f"+= {self.value(self.num(0.05, 0.3), v.dim)}", f"*= {self.num(0.3, 0.9)}", f"= {self.value(self.num(0.1, 0.5), v.dim)}*{self.bounded(g)}"]))
        return found

    def reset(self, g, dim):
        v = self.r.choice([f"v = {self.value(self.num(-0.3, 0.2), dim)}", f"v = {self.value(0.05, dim)}", f"v -= {self.value(self.num(0.6, 1), dim)}"])
        if self.chance(0.4):
            return [v] + self.statements(g) if self.chance(0.6) else self.statements(g) + [v]
        return [v]

    def generator(self):
        name, n = self.name("I"), self.r.randint(1, 5)
        step, dt = self.dt, ""
        for c in self.clock(0.3):  # a neuron spikes once in a step
            step, dt = float(c[3:-3]), ", " + c
        self.out(f"{name} = SpikeGeneratorGroup({n}, {self.spikes(n, step)}" + (f", period={step*self.r.randint(40, 70):.4g}*ms" if self.chance(0.2) else "") + dt + ")")
        self.objects.append(name)
        g = Group(name, n, n, events=["spike"], step=step)
        self.groups.append(g)
        return g

    def certain(self):
        """A PoissonGroup that fires at every step, or at none."""
        name, n = self.name("P"), self.r.randint(1, 4)
        self.out(f"{name} = PoissonGroup({n}, rates='{20/self.dt:.4g}*kHz*int(sin(2*pi*{self.num(40, 200)}*Hz*t + i) > {self.num(0.8, 0.97)})')")
        self.objects.append(name)
        self.groups.append(Group(name, n, n, events=["spike"]))

    def spikes(self, n, step, after=0):
        steps = sorted({(self.r.randrange(40), self.r.randrange(n)) for _ in range(self.r.randint(1, 4*n))})
        off = 0.3 if self.chance(0.2) else 0
        return f"[{', '.join(str(i) for _, i in steps)}], [{', '.join('%.4g' % ((s + off)*step + after) for s, _ in steps)}]*ms"

    def part(self, g):
        """The group, or a part of it."""
        if g.n < 2 or not g.variables or self.chance(0.6):  # Brian2 has no parts of a SpikeGeneratorGroup
            return g
        a = self.r.randrange(g.n)
        b = self.r.randint(a + 1, g.n)
        if (a, b) == (0, g.n):
            return g
        text = self.r.choice([f"{g.name}[{a}:{b}]"] + ([f"{g.name}[:{b}]"] if a == 0 else []) + ([f"{g.name}[{a}:]"] if b == g.n else []))
        if self.chance(0.5):
            name = self.name("part")
            self.out(f"{name} = {text}")
            text = name
        return Group(text, b - a, g.n, g.variables, g.events, g)

    # -- synapses
    def synapses(self, sources=None):
        able = [g for g in self.groups if g.events and (g.variables or "spike" in g.events)]
        targets = [g for g in self.groups if g.variables]
        if not able or not targets:
            return
        src, tgt = self.part(self.r.choice(able)), self.part(self.r.choice(targets))
        name = self.name("S")
        own = [("w", self.r.choice([v.dim for v in tgt.of("state", "sink")]))] + ([("u", "1")] if self.chance(0.5) else [])
        self.own = own
        args = [src.name, tgt.name, ("", [f"{w} : {d}" for w, d in own])]
        multi = self.chance(0.12)
        if multi:
            args.append("multisynaptic_index='syn'")
        event = self.r.choice(src.events)
        if event != "spike":
            args.append(f"on_event='{event}'")
        pathways = []
        if self.chance(0.3):
            pathways = ["a", "b", "c"][:self.r.randint(2, 3)]
            args.append("on_pre={" + ", ".join(f"'{p}': '{'; '.join(self.effects(src, tgt, own))}'" for p in pathways) + "}")
        else:
            pathways = ["pre"]
            args.append(("on_pre=", self.effects(src, tgt, own)))
        if "spike" in tgt.events and event == "spike" and self.chance(0.25):
            pathways.append("post")
            args.append(("on_post=", self.effects(src, tgt, own, post=True)))
        if self.chance(0.25):
            p = self.r.choice(pathways)
            self.scalar.add(f"{name}.{p}")
            args.append(f"delay={self.delay()}" if pathways == ["pre"] else f"delay={{'{p}': {self.delay()}}}")
        args += self.clock(0.2)
        self.call(f"{name} = Synapses", args)
        self.objects.append(name)
        counts = [self.connect(name, src, tgt) for _ in range(self.r.choice([1, 1, 1, 2]))]
        count = None if None in counts else sum(counts)
        for w, d in own:
            self.weights(name, w, d, count)
        for p in pathways:
            if self.chance(0.5):
                self.set_delay(name, p, pathways, count, multi)
            if self.chance(0.12):
                self.out(f"{name}.{p}.order = {self.r.randint(-3, 3)}")
        self.projections.append((name, own, pathways, src, tgt, count, multi))

    def effects(self, src, tgt, own, post=False):
        found = []
        for _ in range(self.r.choice([1, 1, 1, 2, 3])):
            side, g = ("_post", tgt) if not post and (self.chance(0.9) or not src.variables) or not src.variables else ("_pre", src)
            v = self.r.choice(g.of("state", "sink", "sink", "int") or g.of("state"))
            if v.kind == "int":
                found.append(f"{v.name}{side} += 1")
                continue
            size = self.num(0.05, 0.6) if v.kind == "state" else self.r.choice([self.num(0.05, 0.6), self.wide()])
            one = self.value(size, v.dim)
            fits = [w for w, d in own if d == v.dim]
            weight = [self.r.choice(fits)]*2 if fits else []
            plain = [w for w, d in own if d == "1"]
            terms = weight + [one] + ([f"{one}*{self.r.choice(plain)}"] if plain else [])
            if self.chance(0.2):  # reads a neuron
                x = self.r.choice([t for t in [(src, "_pre"), (tgt, "_post")] if t[0].variables])
                names = [y for y in x[0].of(*(["state", "param", "sink"] + ["sub"]*(x[1] != side))) if y.dim == "1" and (y.name, x[1]) != (v.name, side)]
                if names:
                    terms = [f"{one}*clip({self.r.choice(names).name}{x[1]}, -1, 1)", f"{one}*{self.r.choice(names).name}{x[1]}"]
            term = self.r.choice(terms)
            if self.chance(0.1):
                found += [f"u1 = 0.5*{term}", f"{v.name}{side} += u1"]
            elif self.chance(0.01):
                found.append(f"{v.name}{side} = {one}")
            else:
                bare = side == "_post" and self.chance(0.3) and not any(v.name == w for w, _ in own) and v.name not in [x.name for x in src.variables]
                found.append(f"{v.name}{'' if bare else side} {self.r.choice(['+=', '+=', '-='])} {term}")
        return found

    def connect(self, name, src, tgt):
        """Connects, and says how many synapses there are if that is plain."""
        n, m = src.n, tgt.n
        form = self.r.choice(["all", "all", "one", "condition", "arrays", "arrays", "generator", "n", "p", "scalars"])
        if form == "all":
            self.out(f"{name}.connect()")
            return n*m
        if form == "one" and n == m:
            self.out(f"{name}.connect(j='i')")
            return n
        if form == "arrays":
            k = self.r.randint(1, 8)
            i, j = [self.r.randrange(n) for _ in range(k)], [self.r.randrange(m) for _ in range(k)]
            times, text = (2, ", n=2") if self.chance(0.15) else (1, "")
            self.out(f"{name}.connect(i={i}, j={j}{text})")
            return k*times
        if form == "scalars":
            self.out(f"{name}.connect(i={self.r.randrange(n)}, j={[self.r.randrange(m)] if self.chance(0.5) else self.r.randrange(m)})")
            return 1
        self.out(f"{name}.connect(" + {
            "one": "j='i % N_post'",
            "condition": self.r.choice(["condition='i != j'", "'(i + j) % 3 != 1'", "condition='i <= j'", "condition='abs(i - j) < 2'"]),
            "generator": self.r.choice(["j='k for k in range(i - 1, i + 2) if k != i', skip_if_invalid=True", "j='k for k in range(N_post) if k != i'", "j='k for k in range(0, N_post, 2)'", "j='(i + 1) % N_post'", "i='k for k in range(N_pre) if (k + j) % 2 == 0'", "j='k for k in sample(N_post, p=1)'"]),
            "n": self.r.choice(["n=2", "n='1 + (i + j) % 2'", "condition='i != j', n=3"]),
            "p": self.r.choice(["p=1", "condition='i != j', p=1", "p='1.0*(i < 2)'"])}[form] + ")")

    def weights(self, name, w, dim, count):
        small = [self.num(0.05, 0.7), self.num(-0.3, 0.3)] + [self.wide()]*self.chance(0.4)
        x = self.r.choice(small)
        forms = [self.value(x, dim), f"'{self.value(x, dim)}*(1 + 0.37*i - 0.21*j)'"]
        if count:
            k = [x]*count if self.chance(0.2) else [float("%.3g" % (x*self.r.uniform(-1, 1.5))) for _ in range(count)] if self.chance(0.8) else [self.wide() for _ in range(count)]
            forms += ["[" + ", ".join(f"{y*UNIT[dim][1]:.4g}" for y in k) + "]" + UNIT[dim][0]]*2
        self.out(f"{name}.{w} = " + self.r.choice(forms))
        if self.chance(0.15):
            self.out(f"{name}.{w}['i == 0'] = {self.value(self.r.choice(small), dim)}")

    def delay(self):
        steps = self.r.choice([0, 1, 2, self.r.randint(1, 30), self.r.randint(1, 30), self.r.randint(1, 9) + 0.5, self.r.randint(1, 9) + 0.3, 60])
        return f"{steps*self.dt:.5g}*ms"

    def set_delay(self, name, p, pathways, count, multi):
        left = f"{name}.delay" if p == "pre" and self.chance(0.7) else f"{name}.{p}.delay"
        forms = [self.delay(), "'(i + 2*j)*dt'", "'0.3*ms + (i + j)*0.2*ms'", "'(j + 0.5)*dt'", "'(1 + i % 2)*3.3*dt'"] + (["'syn*3*dt'"] if multi else [])
        if f"{name}.{p}" in self.scalar:  # a delay= of the constructor is one value in Brian2, and stays one
            self.out(f"{left} = {self.delay()}")
            return
        if count:
            forms += ["[" + ", ".join(self.delay()[:-3] for _ in range(count)) + "]*ms"]*2
        self.out(f"{left} = " + self.r.choice(forms))
        if self.chance(0.15):
            self.out(f"{left}['i == 0'] = {self.delay()}")

    # -- synapses that learn
    def learning(self):
        """Synapses whose variables change: at events of either side, at every step, or by run_regularly."""
        able = [g for g in self.groups if g.events and (g.variables or "spike" in g.events)]
        if not able:
            return
        src, tgt = self.part(self.r.choice(able)), self.part(self.r.choice(self.groups))
        name, event = self.name("S"), self.r.choice(src.events)
        s = Group(name, 0)
        add = lambda nm, dim, kind: s.variables.append(Variable(nm, dim, kind))
        post = tgt.of("state", "sink")
        dim = self.r.choice([v.dim for v in post] or ["1"])
        eqs = [f"w : {dim}"]
        add("w", dim, "sink")
        if self.chance(0.5):
            eqs.append("wr : 1" + self.r.choice(["", " (constant)"])), add("wr", "1", "param")
        if self.chance(0.4):
            eqs.append("wo : 1"), add("wo", "1", "sink")
        if self.chance(0.25):
            eqs.append("wn : integer"), add("wn", "1", "int")
        if self.chance(0.2):
            eqs.append("wf : boolean"), add("wf", "1", "bool")
        shared = self.chance(0.15)
        if shared:
            eqs.append("wh : 1 (shared)"), add("wh", "1", "shared")
        if self.chance(0.3):
            eqs.append("wt : second" + self.r.choice(["", " (constant)"]))
            tm = True
        else:
            tm = False
        tau = lambda low=2, high=25: "wt" if tm and self.chance(0.5) else f"({self.ms(low, high)})"
        if self.chance(0.65):
            form = self.r.choice(["one", "one", "several", "several", "offset", "coupled", "chain", "two chains"])
            one = lambda v, x="": eqs.append(f"de{v}/dt = {x and '(' + x + ' '}-e{v}{x and ')'}/{tau()} : 1 (event-driven)")
            names = {"one": "a", "offset": "a", "several": "ab", "coupled": "ab", "chain": "abc", "two chains": "abcd"}[form]
            if form in ("one", "several"):
                [one(v) for v in names]
            elif form == "offset":
                one("a", self.r.choice([f"{self.num(0.1, 0.5)}", "wr" if s.of("param") else "0.31"]))
            elif form == "coupled":
                x, y = self.ms(3, 9), self.ms(10, 30)
                eqs += [f"dea/dt = (eb - ea)/({x}) : 1 (event-driven)", f"deb/dt = ({self.num(0.1, 0.4)} - eb - 0.3*ea)/({y}) : 1 (event-driven)"]
            elif form == "chain":
                one("a", "eb"), one("b", "ec"), one("c")
            else:
                one("a", "eb"), one("b"), one("c", "0.5*ed"), one("d", "0.2")
            for v in names:
                add("e" + v, "1", "driven")
        if self.chance(0.45):
            atoms = [f"{v.name}{e}" + ("" if v.dim == "1" else f"/({UNIT[v.dim][1]}{UNIT[v.dim][0]})") for g, e in ((src, "_pre"), (tgt, "_post")) for v in g.of("state", "param", "sink", "sub")] + ["0.31"]
            x, y = self.r.choice(atoms), self.r.choice(atoms)
            flag = self.r.choice(["", " (clock-driven)"])
            form = self.r.choice(["decay", "decay", "alpha", "read", "gate", "constant"])
            if form == "decay":
                eqs.append(f"dgs/dt = -gs/{tau()} : 1{flag}")
            elif form == "alpha":
                eqs += [f"dgs/dt = (gx - gs)/{tau()} : 1{flag}", f"dgx/dt = -gx/{tau()} : 1{flag}"]
                add("gx", "1", "sink")
            elif form == "read":
                eqs.append(f"dgs/dt = (tanh({x}) - gs + 0.2*sin({y}))/{tau()} : 1{flag}")
            elif form == "gate":
                eqs += [f"dgs/dt = -gs/{tau()} + gx*(1 - gs)/({self.ms(2, 6)}) : 1{flag}", f"dgx/dt = -gx/{tau()} : 1{flag}"]
                add("gx", "1", "sink")
            else:
                eqs.append(f"dgs/dt = (0.4 + 0.1*tanh({x}) - gs)/{tau()} : 1{flag}")
            add("gs", "1", "sink")
            method = self.r.choice({"decay": ["exact", "euler", "rk2", "rk4", "exponential_euler", None], "alpha": ["exact", "euler", "rk4", "heun", None]}.get(form, ["euler", "rk2", "rk4", "exponential_euler" if form == "gate" else "euler", None]))
        else:
            method = None
        sums = [v for v in post if v.kind == "sink" and f"{tgt.name.split('[')[0]}.{v.name}" in self.summable]
        if sums and self.chance(0.6):
            v = self.r.choice(sums)
            self.summable.discard(f"{tgt.name.split('[')[0]}.{v.name}")
            x = self.synaptic(s, src, tgt, 1, avoid=v.name)
            eqs.append(f"{v.name}_post = {self.value(self.num(0.05, 0.4), v.dim)}*({x}) : {v.dim} (summed)")
        front = [v for v in (src.variables and src.of("sink")) if f"{src.name.split('[')[0]}.{v.name}" in self.summable and src.name.split("[")[0] != tgt.name.split("[")[0]]
        if front and self.chance(0.3):
            v = self.r.choice(front)
            self.summable.discard(f"{src.name.split('[')[0]}.{v.name}")
            eqs.append(f"{v.name}_pre = {self.value(self.num(0.05, 0.4), v.dim)}*({self.synaptic(s, src, tgt, 1, avoid=v.name)}) : {v.dim} (summed)")
        for _ in range(self.r.choice([0, 0, 1, 2])):
            y = self.name("y")
            eqs.append(f"{y} = {self.synaptic(s, src, tgt)} : 1" + self.r.choice(["", "", " (constant over dt)"])), add(y, "1", "sub")
        self.r.shuffle(eqs)
        args = [src.name, tgt.name, ("", eqs)]
        multi = self.chance(0.1)
        if multi:
            args.append("multisynaptic_index='syn'")
        targets = [e for e in tgt.events]
        ons = {}
        pathways = []
        if self.chance(0.25):
            pathways = ["a1", "a2", "a3"][:self.r.randint(2, 3)]
            for p in pathways:
                ons[p] = event if self.chance(0.6) else self.r.choice(src.events)
            args.append("on_pre={" + ", ".join(f"'{p}': '{'; '.join(self.learn(s, src, tgt))}'" for p in pathways) + "}")
        elif self.chance(0.93) or not targets:
            pathways = ["pre"]
            ons["pre"] = event
            args.append(("on_pre=", self.learn(s, src, tgt)))
        if targets and (self.chance(0.75) or not pathways):
            back = ["b1", "b2"] if self.chance(0.15) else ["post"]
            for p in back:
                ons[p] = self.r.choice(targets)
            pathways += back
            if back == ["post"]:
                args.append(("on_post=", self.learn(s, src, tgt, True)))
            else:
                args.append("on_post={" + ", ".join(f"'{p}': '{'; '.join(self.learn(s, src, tgt, True))}'" for p in back) + "}")
        if any(e != "spike" for e in ons.values()):
            args.append("on_event={" + ", ".join(f"'{p}': '{e}'" for p, e in ons.items()) + "}")
        if method:
            args.append(f"method='{method}'")
        if self.chance(0.3):
            p = self.r.choice(pathways)
            self.scalar.add(f"{name}.{p}")
            args.append(f"delay={self.delay()}" if pathways == ["pre"] else f"delay={{'{p}': {self.delay()}}}")
        args += self.clock(0.2)
        self.call(f"{name} = Synapses", args)
        self.objects.append(name)
        counts = [self.connect(name, src, tgt) for _ in range(self.r.choice([1, 1, 1, 2, 3]))]
        count = None if None in counts else sum(counts)
        own = [(v.name, v.dim) for v in s.variables if v.kind in ("sink", "param")]
        if tm:
            self.out(f"{name}.wt = " + self.r.choice([self.ms(4, 20), f"'{self.ms(3, 12)} + (i + 2*j)*0.3*ms'"]))
        for w, d in own:
            if w in ("w", "wr") or self.chance(0.4):
                self.tame(name, w, d, count)
        for v in s.of("driven"):
            if self.chance(0.3):
                self.tame(name, v.name, "1", count)
        if shared:
            self.out(f"{name}.wh = {self.num(0.1, 0.6)}")
        for p in pathways:
            if self.chance(0.5):
                self.set_delay(name, p, pathways, count, multi)
            if self.chance(0.15):
                self.out(f"{name}.{p}.order = {self.r.randint(-3, 3)}")
        if self.chance(0.2):
            self.regular(s, src, tgt)
        self.projections.append((name, own, pathways, src, tgt, count, multi))
        self.learners.append((s, src, tgt))
        if count and self.chance(0.6):
            m = self.name("M")
            names = [v.name for v in s.variables if self.chance(0.7)] + (["lastupdate"] if s.of("driven") and self.chance(0.3) else []) or ["w"]
            record = "True" if self.chance(0.6) else str(sorted(self.r.sample(range(count), self.r.randint(1, min(4, count)))))
            dt = f", dt={self.dt*self.r.randint(2, 5):.4g}*ms" if self.chance(0.15) else ""
            self.out(f"{m} = StateMonitor({name}, {names}, record={record}{dt})")
            self.monitor(m)
            self.shows.append(f"show_states('{self.sim}{m}', {m}, {names})")
        self.shows += [f"show_values('{self.sim}{name}.{v.name}', {name}.{v.name})" for v in s.variables if v.kind != "shared"]

    def regular(self, s, src, tgt):
        dt = "".join(", " + c for c in self.clock()) or self.r.choice(["", f", dt={self.dt*self.r.randint(2, 9):.4g}*ms"])
        own = [x for x in self.learn(s, src, tgt) if not x.split()[0].endswith(("_pre", "_post"))] or ["w *= 0.97"]
        self.out(f"{s.name}.run_regularly('{'; '.join(own)}'{dt})")

    def tame(self, name, w, dim, count):
        """Values of a variable that learns, which is not of any magnitude."""
        x = self.num(-0.2, 0.5)
        forms = [self.value(x, dim), f"'{self.value(x, dim)}*(1 + 0.37*i - 0.21*j)'", f"'{self.value(x, dim)}*sin(1 + i + 2*j)'"]
        if count:
            forms += ["[" + ", ".join(f"{self.num(-0.2, 0.5)*UNIT[dim][1]:.4g}" for _ in range(count)) + "]" + UNIT[dim][0]]
        self.out(f"{name}.{w} = " + self.r.choice(forms))
        if self.chance(0.15):
            at = self.r.choice(["'i == 0'", "'j > 0'"] + (["0"] if count else []))
            self.out(f"{name}.{w}[{at}] = {self.value(self.num(-0.2, 0.5), dim)}")

    def synaptic(self, s, src, tgt, depth=2, avoid=None, post=None):
        """An expression without dimension of what belongs to a synapse and the neurons at its ends."""
        if depth == 0:
            r = self.r
            choices = [(v, "") for v in s.of("sink", "param", "int", "bool", "driven", "shared", "sub")]*2
            choices += [(v, e) for g, e in ((src, "_pre"), (tgt, "_post")) for v in g.of("state", "param", "sink", "int", "bool", "sub") if v.name != avoid]
            v, e = r.choice(choices + [(None, "")]*3)
            if v is None:
                words = [f"{self.num(0.1, 2)}", "i", "j", "0.1*N_incoming", "0.1*N_outgoing", "i/N_pre", "j/N_post", f"sin(2*pi*{self.num(20, 90)}*Hz*t)", f"t/({self.ms(3, 20)})"]
                if s.of("driven") and self.chance(0.15):
                    words = [f"exp(-(t - lastupdate)/({self.ms(2, 9)}))"]
                return r.choice(words)
            if v.kind == "bool":
                return f"int({v.name}{e})"
            return v.name + e if v.dim == "1" else f"{v.name}{e}/({UNIT[v.dim][1]}{UNIT[v.dim][0]})"
        a, b = self.synaptic(s, src, tgt, depth - 1, avoid), self.synaptic(s, src, tgt, self.r.randrange(depth), avoid)
        return self.r.choice(["({a} + {b})", "({a} - {b})", "tanh({a})*tanh({b})", "{a}/(1.5 + abs({b}))", "tanh({a})", "sin({a})", "exp(-abs({a}))", "sqrt(abs({a}) + 0.1)", "clip({a}, -0.7, {b})",
            "int({a} > {b})", "1/(1 + exp(-{a}))", "abs({a} - {b})", "({a} % 1.7)"]).format(a=a, b=b)

    def learn(self, s, src, tgt, post=False):
        """Statements of a pathway of synapses that learn."""
        r, found = self.r, []
        flat = lambda depth=1: r.choice(["tanh({})", "sin({})", "clip({}, -1, 1)"]).format(self.synaptic(s, src, tgt, depth))
        local = None
        for _ in range(r.choice([1, 2, 2, 3, 3, 4])):
            kind = r.choice(["neuron", "neuron", "own", "own", "own", "driven", "driven", "local"])
            ends = [(g, e) for g, e in ((src, "_pre"), (tgt, "_post")) if g.variables]
            if kind == "neuron" and ends:
                g, e = r.choice(ends)
                v = r.choice(g.of("state", "sink", "sink", "int") or g.of("state"))
                if v.kind == "int":
                    found.append(f"{v.name}{e} += " + r.choice(["1", "1", "wn"] if s.of("int") else ["1"]))
                    continue
                one = self.value(self.num(0.05, 0.5), v.dim)
                fits = [x.name for x in s.of("sink", "driven", "param") if x.dim == v.dim]
                term = r.choice([f"{one}*{flat(0)}", f"{one}*{flat()}", one] + (fits and [r.choice(fits)]*4 + [f"{r.choice(fits)}*0.3"]) + ([f"{one}*{local}"] if local else []))
                if f"{v.name}{e}" in term and not self.chance(0.1):
                    term = one
                found.append(f"{v.name}{e} {r.choice(['+=', '+=', '-='])} {term}")
            elif kind == "driven" and s.of("driven"):
                v = r.choice(s.of("driven"))
                found.append(f"{v.name} " + r.choice([f"+= {self.num(0.05, 0.4)}"]*3 + [f"= {self.num(0.3, 1)}", f"*= {self.num(0.3, 0.9)}", f"+= 0.2*{flat()}", f"+= {self.num(0.05, 0.4)}*(1 - {v.name})", f"+= 0.3*{r.choice(s.of('driven')).name}"]))
            elif kind == "local":
                local = r.choice(["l1", "l2"])
                found.append(f"{local} = {flat()}")
            else:
                v = r.choice(s.of("sink", "int", "bool"))
                one = self.value(self.num(0.05, 0.3), v.dim)
                x = local if local and self.chance(0.5) else r.choice([q.name for q in s.of("driven")] + ["1"]) if self.chance(0.6) else flat()
                if v.kind == "int":
                    found.append(f"{v.name} " + r.choice(["+= 1", "+= 1 + i % 2", f"= {v.name} + int({flat()} > 0.1)", "= (wn + 1) % 3"]))
                elif v.kind == "bool":
                    found.append(f"{v.name} = not {v.name}" if self.chance(0.5) else f"{v.name} = {flat()} > 0.13")
                else:
                    found.append(f"{v.name} " + r.choice([f"= clip({v.name} + {one}*{x}, {self.value(-0.4, v.dim) if self.chance(0.5) else self.value(0, v.dim)}, {self.value(self.num(0.5, 1), v.dim)})"]*2 + [f"+= {one}*{x}", f"*= {self.num(0.5, 0.95)}", f"= {one}*{flat()}", f"= {v.name}*0.8 + {one}*{x}", f"-= 0.1*{v.name}"]))
        used = [x for x in found if x.split()[0] not in ("l1", "l2")]
        return found if used else found + ["w *= 0.93"]

    # -- monitors
    def monitors(self):
        for g in self.groups:
            if g.variables:
                for names in ([v.name for v in g.variables],) if self.chance(0.7) else ([v.name for v in g.variables[:2]], [v.name for v in g.variables[2:]]):
                    if names:
                        self.state_monitor(g, names)
            for ev in g.events:
                if self.chance(0.85):
                    m = self.name("M")
                    extra = [v.name for v in g.variables if self.chance(0.3)]
                    extra = f", variables={extra}" if extra else ""
                    self.out(f"{m} = SpikeMonitor({g.name}{extra})" if ev == "spike" else f"{m} = EventMonitor({g.name}, '{ev}'{extra})")
                    self.monitor(m)
                    self.shows.append(f"show_events('{self.sim}{m}', {m}, {[v.name for v in g.variables if extra and repr(v.name) in extra]})")
                if ev == "spike" and self.chance(0.25):
                    m = self.name("R")
                    self.out(f"{m} = PopulationRateMonitor({g.name})")
                    self.monitor(m)
                    self.shows.append(f"show_rate('{self.sim}{m}', {m})")

    def monitor(self, m):
        self.objects.append(m)

    def state_monitor(self, g, names):
        m = self.name("M")
        record = "True" if self.chance(0.7) else str(sorted(self.r.sample(range(g.n), self.r.randint(1, g.n))))
        dt = f", dt={self.dt*self.r.randint(2, 5):.4g}*ms" if self.chance(0.15) else ""
        dt = "".join(", " + c for c in self.clock()) or dt
        self.out(f"{m} = StateMonitor({g.name}, {names}, record={record}{dt})")
        self.monitor(m)
        self.shows.append(f"show_states('{self.sim}{m}', {m}, {names})")

    # -- functions that run with the network
    def operation(self):
        g = self.r.choice([g for g in self.groups if g.variables])
        name, code = self.name("op"), []
        for _ in range(self.r.choice([1, 1, 2])):
            v = self.r.choice(g.of("state", "sink", "param"))
            x = self.r.choice([y for y in g.of("state", "sink", "param") if y.dim == v.dim])
            some = self.value(self.num(0.1, 0.6), v.dim)
            code.append(self.r.choice([f"{g.name}.{v.name} = {some} - 0.3*{g.name}.{x.name}[0]", f"{g.name}.{v.name}[0] = {some} + 0.2*{g.name}.{x.name}[{g.n - 1}]", f"{g.name}.{v.name}['i > 0'] = {some}",
                f"{g.name}.{v.name} = '0.4*{x.name} + {some}*sin(i + t/ms)'"]))
        self.out(f"def {name}({self.r.choice(['', 't'])}):", *["    " + c for c in code])
        when = self.r.choice(["", ", when='end'", ", when='before_start'", ", order=-1"])
        dt = "".join(", " + c for c in self.clock()) or self.r.choice(["", f", dt={self.dt*self.r.randint(2, 9):.4g}*ms"])
        self.out(f"{name}o = NetworkOperation({name}{when}{dt})")
        self.objects.append(name + "o")

    # -- what changes between runs
    def change(self, network):
        g = self.r.choice([g for g in self.groups if g.variables])
        what = self.r.choice(["value", "value", "name", "weight", "delay", "delay", "delay", "monitor", "spikes", "connect", "active", "active", "learned", "learned"] + network*["regular", "synapses", "synapses", "generator", "remove", "more learning"])
        v = self.r.choice(g.of("state", "sink", "param"))
        if what == "value":
            self.out(self.r.choice([f"{g.name}.{v.name} = {self.value(self.num(0.1, 0.8), v.dim)}", f"{g.name}.{v.name} = '{self.value(self.num(0.1, 0.8), v.dim)}*(0.2 + i/N)'",
                f"{g.name}.{v.name}['i > 0'] = {self.value(self.num(0.1, 0.8), v.dim)}", f"{g.name}.{v.name} *= 0.77", f"{g.name}.{v.name}[0] = {self.value(self.num(0.1, 0.8), v.dim)}"]))
        elif what == "name" and self.names:
            name, text = self.r.choice(self.names)
            number, star, unit = text.partition("*")
            self.out(f"{name} = {float(number)*self.r.choice([0.7, 1.3]):.4g}{star}{unit}")
        elif what in ("weight", "delay", "connect") and self.projections:
            name, own, pathways, src, tgt, count, multi = self.r.choice(self.projections)
            if what == "connect":
                self.connect(name, src, tgt)
                self.projections = [p for p in self.projections if p[0] != name] + [(name, own, pathways, src, tgt, None, multi)]
            elif what == "weight":
                self.weights(name, *self.r.choice(own), count)
            else:
                self.set_delay(name, self.r.choice(pathways), pathways, count, multi)
        elif what in ("active", "remove"):
            # Not Synapses: Brian2 delivers late what is on its way when they become inactive.
            some = [x for x in self.objects if x[0] in ("MR" if what == "remove" else "MRGI") and x not in self.removed and (what == "active" or x in self.added)]
            if some:
                x = self.r.choice(some)
                self.out(f"{self.net}.remove({x})" if what == "remove" else f"{x}.active = not {x}.active")
                if what == "remove":
                    self.removed.add(x)
        elif what == "learned":
            if not self.learners:
                return
            s, src, tgt = self.r.choice(self.learners)
            v = self.r.choice(s.of("sink", "param", "driven"))
            x = self.value(self.num(-0.2, 0.5), v.dim)
            n, m = self.r.randrange(src.n), self.r.randrange(tgt.n)
            self.out(f"{s.name}.{v.name}" + self.r.choice([f" = {x}", f" = '{x}*(0.2 + i - 0.3*j)'", f"['i > 0'] = {x}", f"['i == {n}'] = {x}", f"['j == {m}'] = '{x}*(1 + i)'", f" = '{v.name}*0.7 + {x}*tanh({self.synaptic(s, src, tgt, 1)})'", f"[:] = {x}", " *= 0.77", f"['{v.name} > {x}'] = {x}"]))
        elif what == "more learning":
            if self.learners:
                self.regular(*self.r.choice(self.learners))
        elif what == "synapses":
            self.learning() if self.chance(self.learns) else self.synapses()
        elif what == "monitor":
            self.state_monitor(g, [v.name for v in g.variables])
        elif what == "generator":
            self.generator(), self.synapses()
        elif what == "spikes":
            inputs = [x for x in self.groups if x.name.startswith("I")]
            if inputs:
                x = self.r.choice(inputs)
                self.out(f"{x.name}.set_spikes({self.spikes(x.n, x.step, x.step*math.ceil(self.now/x.step - 1e-6))})")
        elif what == "regular":
            self.out(f"{g.name}.run_regularly('{'; '.join(self.statements(g))}')")

    def timed_arrays(self):
        for _ in range(self.r.choice([0, 0, 1, 2])):
            name, dim = self.name("ta"), self.r.choice(["1", "volt"])
            rows = self.r.randint(2, 6)
            cell = lambda: f"{self.num(-0.5, 1.5)*UNIT[dim][1]:.3g}"
            dt = self.r.choice([f"{self.ms(1, 5)}", f"{self.dt*self.r.randint(3, 20):.4g}*ms"])
            two = self.chance(0.5)
            row = lambda: "[" + ", ".join(cell() for _ in range(2)) + "]" if two else cell()
            self.out(f"{name} = TimedArray([" + ", ".join(row() for _ in range(rows)) + f"]{UNIT[dim][0]}, dt={dt})")
            self.timed.append((f"{name}(t, i % 2)" if two else f"{name}(t)", dim))

    # -- one simulation and the whole script
    def simulation(self, sim, network=False):
        """What is made between runs needs a Network: Brian2's run() takes only monitors then."""
        self.sim = f"{sim}."
        self.groups, self.projections, self.objects, self.shows, self.names, self.timed, self.now, self.scalar = [], [], [], [], [], [], 0.0, set()
        self.learners, self.summable = [], set()
        self.timed_arrays()
        for _ in range(self.r.choice([1, 1, 1, 2, 2, 3])):
            self.population()
        for _ in range(self.r.choice([0, 1, 1, 2])):
            self.certain() if self.chance(0.2) else self.generator()
        for _ in range(self.r.choice([1, 1, 2, 2, 3, 4])):
            self.learning() if self.chance(self.learns) else self.synapses()
        if self.chance(0.15):
            self.operation()
        self.monitors()
        runs = self.r.choice([1, 1, 2, 2, 3, 4])
        net = self.net = self.name("net")
        self.added, self.removed = set(), set()
        for k in range(runs):
            known = len(self.objects)
            if network and k == 0:
                self.out(f"{net} = Network({', '.join(self.objects)})")
                self.added |= set(self.objects)
            if k:
                for _ in range(self.r.choice([1, 1, 2, 3])):
                    self.change(network)
                if network and self.objects[known:]:
                    self.out(f"{net}.add({', '.join(self.objects[known:])})")
                    self.added |= set(self.objects)
            if k and self.chance(0.2):  # there and back
                of = f"{net}." if network else ""
                self.out(f"{of}store()", f"{of}run({15*self.dt:.5g}*ms)", f"{of}restore()")
            steps = self.r.randint(40, 200)//runs + 15
            off = 0.4 if self.chance(0.05) else 0
            length = (steps + off)*self.dt
            self.now += float("%.5g" % (steps*self.dt)) + (self.dt if off else 0)
            self.out(f"{net}.run({length:.5g}*ms)" if network else f"run({length:.5g}*ms)")
            for g in self.groups:
                for v in g.variables:
                    if v.kind != "sub" and self.chance(0.3 if k == runs - 1 else 0.1):
                        self.out(f"show_values('{self.sim}{g.name}.{v.name}', {g.name}.{v.name})")
        self.out(*self.shows)

    def script(self):
        self.out(f"defaultclock.dt = {self.dt}*ms")
        style = self.r.choice(["one", "one", "network", "network", "scopes", "function", "loop", "networks"])
        if style in ("one", "network"):
            self.simulation(0, style == "network")
        elif style == "networks":
            for k in range(2):
                self.out(f"begin({k})")
                self.simulation(k, network=True)
        elif style == "scopes":
            for k in range(2):
                self.out("start_scope()", f"begin({k})")
                self.simulation(k)
        else:
            head = "def simulate(trial):" if style == "function" else f"for trial in range({self.r.randint(2, 3)}):"
            self.out(head)
            self.indent = "    "
            self.out("begin(trial)")
            if style == "loop" and self.chance(0.7):
                self.out("start_scope()")
            self.simulation(0)
            self.indent = ""
            if style == "function":
                self.out(f"for trial in range({self.r.randint(2, 3)}):", "    simulate(trial)")
        return "\n".join(self.lines) + "\n"


def write(seed):
    return Writer(seed).script()


if __name__ == "__main__":
    import sys
    print(write(int(sys.argv[1])))
