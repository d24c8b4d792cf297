package main

import (
	"encoding/json"
	"fmt"

	"synfire/shaders"
)

type devicesCmd struct {
	JSON bool `name:"json" help:"Print them as JSON."`
}

// deviceEntry is a device as --json shows it; sizes are in bytes.
type deviceEntry struct {
	Number     int    `json:"number"`
	Name       string `json:"name"`
	Vendor     string `json:"vendor"`
	Version    string `json:"version"`
	Node       string `json:"node,omitempty"`
	Software   bool   `json:"software"`
	Error      string `json:"error,omitempty"`
	MaxBlock   int64  `json:"max_block"`
	MaxBlocks  int    `json:"max_blocks"`
	MaxGroups  [3]int `json:"max_groups"`
	MaxShared  int    `json:"max_shared"`
	MaxLocal   int    `json:"max_local"`
	Memory     int64  `json:"memory,omitempty"`
	MemoryFree int64  `json:"memory_free,omitempty"`
	Meet       int    `json:"meet,omitempty"` // work groups that wait for one another
	SelfTest   string `json:"self_test,omitempty"`
}

// Run lists the OpenGL devices.
func (c *devicesCmd) Run(env *environment) error {
	all, err := shaders.Devices()
	if err != nil {
		return err
	}
	if c.JSON {
		list := make([]deviceEntry, 0, len(all))
		for _, d := range all {
			list = append(list, deviceEntry(d))
		}
		e := json.NewEncoder(env.out)
		e.SetIndent("", "  ")
		return e.Encode(list)
	}
	usable := false
	for _, d := range all {
		usable = usable || d.Error == ""
		showDevice(env, d)
	}
	if why := shaders.PassedOver(all); why != "" {
		fmt.Fprintln(env.err, env.errTerm.amber("warning:"), why)
	}
	if !usable {
		return &shaders.DeviceError{Kind: shaders.NoDevice, Detail: `none can be opened; on Debian or Ubuntu "apt-get install libegl1 libgl1-mesa-dri" gives a software renderer, and --backend cpu gives the same bits without`}
	}
	return nil
}

func showDevice(env *environment, d shaders.DeviceInfo) {
	t, w := env.outTerm, env.out
	name := d.Name
	if name == "" {
		name = "(no context)"
	}
	fmt.Fprintf(w, "%s  %s\n", t.bold(fmt.Sprint(d.Number)), t.bold(name))
	row := func(key, format string, a ...any) {
		fmt.Fprintf(w, "   %s  %s\n", t.faint(fmt.Sprintf("%-10s", key)), fmt.Sprintf(format, a...))
	}
	if d.Node != "" {
		row("node", "%s", d.Node)
	}
	if d.Error != "" {
		row("error", "%s", t.red(d.Error))
		return
	}
	kind := "GPU"
	if d.Software {
		kind = "software renderer"
	}
	row("vendor", "%s (%s)", d.Vendor, kind)
	row("driver", "%s", d.Version)
	row("limits", "%s a buffer, %d buffers, %d lanes a group, %s shared, %s groups", bytes(d.MaxBlock), d.MaxBlocks, d.MaxLocal, bytes(int64(d.MaxShared)), count(int64(d.MaxGroups[0])))
	if d.Memory > 0 {
		row("memory", "%s, %s free", bytes(d.Memory), bytes(d.MemoryFree))
	} else {
		row("memory", "the driver does not tell")
	}
	if d.Meet > 0 {
		row("groups", "%d work groups wait for one another within a dispatch", d.Meet)
	}
	switch d.SelfTest {
	case "bit-exact":
		row("self-test", "%s", d.SelfTest)
	case "not yet run":
		row("self-test", "not yet run; the first run with --backend gl does it")
	default:
		row("self-test", "%s", t.red(d.SelfTest))
	}
}
