package model

import (
	"fmt"
	"hash/fnv"
	"maps"
)

// Randomness is what random numbers are made from: the seed, and who has drawn
// what since it was given. All networks of a script share one, and Seed begins it
// anew; so what is drawn after a seed repeats, from the same state of the script,
// while nothing that is drawn after one seed repeats something else.
type Randomness struct {
	Seed    uint64            // the seed in force
	Network uint64            // the seed of what a network is made of: see networkKey
	given   int               // how often Seed was called
	first   map[string]int    // made, when Seed was called first
	made    map[string]int    // objects of each class, counted from the seed on
	objects uint64            // registered so far: their numbers, so that no old object is held on to
	owners  map[string]uint64 // who draws under a name
	drawers map[uint64]string // the name under which an object draws
	visits  map[string]uint32 // how often a place has drawn
	streams map[uint32]string // who draws from which stream, since ever
}

func newRandomness(seed uint64) *Randomness {
	return &Randomness{Seed: seed, Network: seed, made: map[string]int{}, owners: map[string]uint64{}, drawers: map[uint64]string{}, visits: map[string]uint32{}, streams: map[uint32]string{}}
}

// Clone is a copy that a compilation may change.
func (r *Randomness) Clone() *Randomness {
	c := *r
	c.made, c.owners, c.drawers, c.visits, c.streams = maps.Clone(r.made), maps.Clone(r.owners), maps.Clone(r.drawers), maps.Clone(r.visits), maps.Clone(r.streams)
	return &c
}

// Seed sets the seed of everything drawn from here on, in all networks of a script.
func (n *Network) Seed(s uint64) { n.Seeds(s, s) }

// Seeds is Seed with another seed for what a network is made of.
func (n *Network) Seeds(s, network uint64) {
	r := n.Random
	r.Seed, r.Network = s, network
	r.given++
	if r.first == nil {
		r.first = maps.Clone(r.made)
	}
	r.made = maps.Clone(r.first)
	clear(r.owners)
	clear(r.drawers)
	clear(r.visits)
}

// Given is how often a seed was given.
func (r *Randomness) Given() int { return r.given }

// SeedValue is the seed in force.
func (n *Network) SeedValue() uint64 { return n.Random.Seed }

func (n *Network) key() [2]uint32 { return keyOf(n.Random.Seed) }

// networkKey is the key of what a network is made of, which trials have in common:
// connections, delays and values of synapses, parameters of neurons, conditions that
// choose neurons. Initial values of what has an equation are drawn with key.
func (n *Network) networkKey() [2]uint32 { return keyOf(n.Random.Network) }

func keyOf(seed uint64) [2]uint32 { return [2]uint32{uint32(seed), uint32(seed >> 32)} }

// drawnFrom is the step from which random words count theirs: where the network
// stood when it first drew with the seed in force.
func (n *Network) drawnFrom() int64 {
	n.DrawnWith, n.Drawn = n.WouldDraw()
	return n.Drawn
}

// WouldDraw is drawnFrom, with the seed it is of, of a network that has drawn.
func (n *Network) WouldDraw() (given int, step int64) {
	if n.DrawnWith != n.Random.given {
		return n.Random.given, n.Step
	}
	return n.DrawnWith, n.Drawn
}

// Draws is the name under which an object draws: its automatic name, counted
// from the seed on, so that the objects of a second trial draw as those of the
// first did. An object whose name has drawn for another one gets one of its own.
func (r *Randomness) Draws(ob object) string {
	number := ob.Base().number
	name, ok := r.drawers[number]
	if ok {
		return name
	}
	name = ob.Base().counted
	for r.owners[name] != 0 {
		name += "'"
	}
	r.owners[name], r.drawers[number] = number, name
	return name
}

// count names an object by its class and its number among those made since the seed.
func (r *Randomness) count(class string) string {
	k := r.made[class]
	r.made[class]++
	if k == 0 {
		return class
	}
	return fmt.Sprintf("%s_%d", class, k)
}

// Stream numbers a source of random words by purpose, object and place in the
// text (design section 3, rule 7): a hash, moved on where another source has it.
func (r *Randomness) Stream(purpose, object, place string, visit uint32) uint32 {
	key := fmt.Sprintf("%s\x00%s\x00%s\x00%d", purpose, object, place, visit)
	h := fnv.New32a()
	h.Write([]byte(key))
	s := h.Sum32()
	for r.streams[s] != "" && r.streams[s] != key {
		s++
	}
	r.streams[s] = key
	return s
}

// visit counts how often a place has been passed.
func (r *Randomness) visit(key string) uint32 {
	v := r.visits[key]
	r.visits[key] = v + 1
	return v
}
