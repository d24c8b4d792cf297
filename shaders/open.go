//go:build egl && cgo && linux

package shaders

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/host"
)

// Devices lists the devices of EGL, hardware first; one that cannot be opened
// stands there with its Error.
func Devices() ([]DeviceInfo, error) {
	all, err := places()
	if err != nil {
		return nil, err
	}
	var out []DeviceInfo
	for n, p := range all {
		d, err := openDevice(p, n, Options{WorkGroup: defaultGroup})
		if err != nil {
			out = append(out, DeviceInfo{Number: n, Node: p.node, Software: p.software, Error: err.Error()})
			continue
		}
		d.info.SelfTest = d.selfTestKept()
		out = append(out, d.info)
		d.close()
	}
	return out, nil
}

// PassedOver says what hardware of this machine is not among the devices that can be opened, and
// what may be missing; "" if nothing is.
func PassedOver(list []DeviceInfo) string {
	files, _ := filepath.Glob("/dev/nvidia[0-9]*")
	return passedOver(files, list)
}

// passedOver is PassedOver for given device files. libglvnd leaves out a vendor whose library lacks another one
// without a word, so that a renderer in software becomes the first device.
func passedOver(files []string, list []DeviceInfo) string {
	nvidia := slices.ContainsFunc(list, func(d DeviceInfo) bool { return strings.Contains(d.Vendor, "NVIDIA") })
	for _, f := range files {
		if strings.HasPrefix(f, "/dev/nvidia") && !nvidia {
			return fmt.Sprintf("there is %s, but EGL has no NVIDIA device: its library may lack another one (`ldd libEGL_nvidia.so.0` names it; in a container, the driver's graphics capability has to be asked for), or __EGL_VENDOR_LIBRARY_FILENAMES names other vendors", f)
		}
	}
	for _, d := range list {
		if !d.Software && d.Error != "" && d.Node != "" {
			return fmt.Sprintf("%s cannot be opened: %s", d.Node, strings.TrimPrefix(d.Error, "gl: "))
		}
	}
	return ""
}

const defaultGroup = 64

// mostSteps is the longest Run: steps of 4 µs make some 30 ms of it, beside which what the host does for it is little.
const mostSteps = 8192

// Open opens the gl backend. Its errors are of type *DeviceError.
func Open(opt Options) (backend.Backend, error) {
	if opt.WorkGroup == 0 {
		opt.WorkGroup = defaultGroup
	}
	if opt.WorkGroup < 32 || opt.WorkGroup > 1024 || opt.WorkGroup%32 != 0 {
		return nil, &DeviceError{Kind: NoDevice, Detail: fmt.Sprintf("work groups of %d lanes, expected a multiple of 32 up to 1024", opt.WorkGroup)}
	}
	if opt.Team < 0 || opt.Team > 32 || opt.Team&(opt.Team-1) != 0 {
		return nil, &DeviceError{Kind: NoDevice, Detail: fmt.Sprintf("teams of %d lanes, expected a power of two up to 32", opt.Team)}
	}
	if opt.Philox != 0 && opt.Philox != 1 && opt.Philox != 4 {
		return nil, &DeviceError{Kind: NoDevice, Detail: fmt.Sprintf("calls of Philox for %d neighbours, expected 1 or 4", opt.Philox)}
	}
	if opt.Persistent != "" && !persistents.MatchString(opt.Persistent) {
		return nil, &DeviceError{Kind: NoDevice, Detail: fmt.Sprintf("many passes in a dispatch: %q, expected 0, 1, fail or failN", opt.Persistent)}
	}
	d, err := choose(opt)
	if err != nil {
		return nil, err
	}
	if d.info.MaxLocal < opt.WorkGroup {
		defer d.close()
		return nil, d.fail(TooLarge, "work groups of %d lanes, the device allows %d", opt.WorkGroup, d.info.MaxLocal)
	}
	b := &glBackend{d: d}
	d.backends.Store(1)
	if !opt.NoSelfTest {
		if err := d.await(host.Work{Ctx: opt.Ctx}, d.selfTest, func() {}); err != nil {
			if !opt.AllowInexact || errors.Is(err, host.ErrInterrupted) {
				d.close()
				return nil, err
			}
			b.inexact = true
		}
	}
	return b, nil
}

// choose opens the device that opt names. Without a name it is the first that
// opens: places puts hardware first.
func choose(opt Options) (*device, error) {
	all, err := places()
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(opt.Device); err == nil {
		if n < 0 || n >= len(all) {
			return nil, &DeviceError{Kind: NoDevice, Detail: fmt.Sprintf("device %d of %d, see synfire devices", n, len(all))}
		}
		return openDevice(all[n], n, opt)
	}
	var seen []string
	var list []DeviceInfo
	for n, p := range all {
		d, err := openDevice(p, n, opt)
		if err != nil {
			seen = append(seen, strings.TrimPrefix(err.Error(), "gl: "))
			list = append(list, DeviceInfo{Number: n, Node: p.node, Software: p.software, Error: err.Error()})
			continue
		}
		list = append(list, d.info)
		if strings.Contains(strings.ToLower(d.info.Name+" "+d.info.Vendor+" "+d.info.Node), strings.ToLower(opt.Device)) {
			if why := PassedOver(list); why != "" && opt.Device == "" && d.info.Software {
				d.note = fmt.Sprintf("the gl backend runs on %s, a renderer in software: %s", d.info.Name, why)
			}
			return d, nil
		}
		seen = append(seen, d.info.Name)
		d.close()
	}
	what := "none can be opened"
	if opt.Device != "" {
		what = fmt.Sprintf("none is named like %q", opt.Device)
	}
	return nil, &DeviceError{Kind: NoDevice, Detail: fmt.Sprintf("%s (%s); on Debian or Ubuntu \"apt-get install libegl1 libgl1-mesa-dri\" gives a software renderer", what, strings.Join(seen, "; "))}
}

// glBackend is the backend on one device.
type glBackend struct {
	d       *device
	inexact bool
	alike   bool // its programs lie beside those of others
	closed  bool
}

func (b *glBackend) Name() string { return "gl" }

func (b *glBackend) Caps() backend.Caps {
	return backend.Caps{Device: b.d.info.Name + ", " + b.d.info.Version, Inexact: b.inexact, Batch: mostSteps}
}

// Beside is another backend on the same device.
func (b *glBackend) Beside() backend.Backend {
	b.d.backends.Add(1)
	return &glBackend{d: b.d, inexact: b.inexact, alike: true}
}

func (b *glBackend) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	if b.d.backends.Add(-1) <= 0 {
		b.d.close()
	}
	return nil
}
