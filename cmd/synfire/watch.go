package main

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/compare"
	"synfire/engine/host/hosttest"
	"synfire/kernels"
)

// watchCmd is a side of verify that runs on ranks: the first one writes what was seen into a file.
type watchCmd struct {
	modelFlags
	Threads threads
	Steps   int64
	Max     int64
	Look    string
	Inject  string
	Into    string
}

// Run runs the model, watched.
func (c *watchCmd) Run(env *environment) error {
	var look compare.Look
	if err := json.Unmarshal([]byte(c.Look), &look); err != nil {
		return err
	}
	side := compare.Side{Name: "ranks", Open: func() (backend.Backend, error) { return kernels.New(c.Threads.ofRank()), nil }}
	if j := env.job; j != nil {
		if err := sameEverywhere(j, c.Model); err != nil {
			return err
		}
		side.Open = func() (backend.Backend, error) { return kernels.Over(j, c.Threads.ofRank()), nil }
	}
	if c.Inject != "" {
		in, err := compare.ParseInjection(c.Inject, c.Steps)
		if err != nil {
			return err
		}
		side.Inject = in
	}
	m := &watchedModel{c: &verifyCmd{modelFlags: c.modelFlags, Threads: c.Threads, Steps: c.Steps, Quiet: true}, env: env, bar: newProgress(env.err, env.errTerm, true), passes: 1}
	seen, err := compare.Watch(env.ctx, &side, m.run, look, c.Max)
	if apart := (*backend.Apart)(nil); errors.As(err, &apart) {
		err = told(apart)
	}
	if err != nil && seen.Fault == nil || env.job != nil && env.job.Rank() > 0 {
		if seen.Fault != nil {
			return nil
		}
		return err
	}
	f, err := os.Create(c.Into)
	if err != nil {
		return err
	}
	return errors.Join(gob.NewEncoder(f).Encode(seen), f.Close())
}

// rankSides are the sides of verify that run on ranks, of each number of them with each number of threads.
func (c *verifyCmd) rankSides() ([]compare.Side, error) {
	if len(c.Ranks) == 0 {
		return nil, errors.New("--ranks: a number was expected, or several, as in 1,2,3")
	}
	numbers := []int{1, 2}
	if c.Threads.n > 0 {
		numbers = []int{c.Threads.n}
	}
	var sides []compare.Side
	for k, ranks := range c.Ranks {
		for _, other := range c.Ranks[:k] {
			if ranks == other {
				return nil, fmt.Errorf("--ranks names %d twice", ranks)
			}
		}
		if err := checkRanks(ranks); err != nil {
			return nil, err
		}
		for _, n := range numbers {
			name := fmt.Sprintf("%d ranks of %d threads", ranks, n)
			if ranks == 1 {
				name = strings.Replace(name, "ranks", "rank", 1)
			}
			if n == 1 {
				name = strings.TrimSuffix(name, "s")
			}
			sides = append(sides, compare.Side{
				Name: name,
				Open: func() (backend.Backend, error) {
					all, world := make([]kernels.Ranks, ranks), hosttest.New(ranks)
					for k := range all {
						all[k] = world.Rank(k)
					}
					return kernels.Together(all, n), nil
				},
				Away: func(ctx context.Context, s *compare.Side, l compare.Look, max int64) (*compare.Seen, error) {
					return c.away(ctx, ranks, n, s.Inject, l, max)
				},
			})
		}
	}
	_, err := mpirun(context.Background(), 1, nil)
	return sides, err
}

// away runs the model on ranks.
func (c *verifyCmd) away(ctx context.Context, ranks, threads int, in *compare.Injection, l compare.Look, max int64) (*compare.Seen, error) {
	into, err := os.CreateTemp("", "synfire-verify-*")
	if err != nil {
		return nil, err
	}
	into.Close()
	defer os.Remove(into.Name())
	look, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	args := []string{"watch", c.Model, "--look", string(look), "--into", into.Name(), "--threads", fmt.Sprint(threads), fmt.Sprintf("--steps=%d", c.Steps), fmt.Sprintf("--max=%d", max)}
	if in != nil {
		args = append(args, "--inject="+c.Inject)
	}
	if c.Seed != nil {
		args = append(args, fmt.Sprintf("--seed=%d", *c.Seed))
	}
	if c.NetworkSeed != nil {
		args = append(args, fmt.Sprintf("--network-seed=%d", *c.NetworkSeed))
	}
	for name, value := range c.Set {
		args = append(args, "--set", name+"="+value)
	}
	if c.ScriptMemory != 0 {
		args = append(args, fmt.Sprintf("--script-memory=%g", c.ScriptMemory))
	}
	cmd, err := mpirun(ctx, ranks, args)
	if err != nil {
		return nil, err
	}
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return nil, engine.ErrInterrupted
	}
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, strings.TrimSpace(string(out)))
	}
	f, err := os.Open(into.Name())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	seen := &compare.Seen{}
	return seen, gob.NewDecoder(f).Decode(seen)
}
