package model

import "fmt"

// Active says whether an object takes part in the next run: Brian2's active. One
// that does not keeps its values, has no events, delivers nothing and records nothing.
func (o *Object) Active() bool { return !o.Inactive }

// Rests says that an object takes no part in the run in progress, or the next one
// where there is none.
func (o *Object) Rests() bool {
	if o.Net.running {
		return o.rests
	}
	return o.Inactive
}

// Rests says that a pathway does not run, as that of its Synapses.
func (w *Path) Rests() bool {
	s := w.Delay.Syn
	if s.Net.running {
		return w.rests
	}
	return w.Inactive || s.Inactive
}

// Begin has what is active now take part until End, whatever a network_operation sets.
func (n *Network) Begin() {
	n.End()
	for _, ob := range n.Objects {
		o := ob.Base()
		o.rests = o.Inactive
		if s, ok := ob.(*Synapses); ok {
			for _, w := range s.Paths {
				w.rests = w.Rests()
			}
		}
	}
	n.running = true
}

// End ends the run that Begin began.
func (n *Network) End() { n.running = false }

// SetActive says whether an object takes part from the next run on. It refuses one
// that was removed from a network.
func (o *Object) SetActive(on bool) error {
	if o.Removed {
		return fmt.Errorf("%s was removed from a network that has run, and cannot be part of one again: set active instead, to stop it for a while", o.Name())
	}
	o.Inactive = !on
	return nil
}

// Gone says that an object was removed from a network that has run.
func (o *Object) Gone() bool { return o.Removed }

// SetActive is that of the group with its run_regularly operations.
func (g *NeuronGroup) SetActive(on bool) error { return g.setActiveWith(on, g) }

// SetActive is that of the pathways, the equations and the run_regularly
// operations. Spikes that are on their way when synapses become inactive are lost.
func (s *Synapses) SetActive(on bool) error {
	err := s.setActiveWith(on, s)
	for _, w := range s.Paths {
		w.Inactive = s.Inactive
	}
	return err
}

func (o *Owner) setActiveWith(on bool, whole object) error {
	if err := o.Object.SetActive(on); err != nil {
		return err
	}
	for _, ob := range o.Net.Objects {
		if r, ok := ob.(*Regular); ok && !r.Removed && (r.Src.Group == whole || r.Syn == whole) {
			r.Inactive = !on
		}
	}
	return nil
}

// PathwayActive says whether a pathway runs.
func (s *Synapses) PathwayActive(path string) (bool, error) {
	w, err := s.pathway(path)
	return err == nil && !w.Inactive, err
}

// SetPathwayActive is SetActive of one pathway.
func (s *Synapses) SetPathwayActive(path string, on bool) error {
	w, err := s.pathway(path)
	if err != nil {
		return err
	}
	if s.Removed {
		return s.Object.SetActive(on) // says so
	}
	w.Inactive = !on
	return nil
}

// carries says that a pathway has lives: it has run, and did so in the last run.
func (w *Path) carries() bool { return w.Delay.Syn.HasRun && !w.asleep }

// rest forgets what is on its way in a pathway that does not run.
func (w *Path) rest() {
	if w.asleep = w.Rests(); w.asleep {
		w.past = nil
	}
}

// Remove takes objects out of a network that has run. They keep what they have
// recorded, and can be part of no network again. Run refuses what needs one of them.
func (n *Network) Remove(out func(any) bool) error {
	if err := n.still("Network.remove"); err != nil {
		return err
	}
	for _, ob := range n.Objects {
		asked := ob
		if r, ok := ob.(*Regular); ok {
			asked = r.owner()
		}
		if out(asked) {
			ob.Base().Removed, ob.Base().Inactive = true, true
		}
	}
	return nil
}

func (r *Regular) owner() object {
	if r.Syn != nil {
		return r.Syn
	}
	return r.Src.Group
}
