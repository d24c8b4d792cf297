//go:build egl && cgo && linux

package shaders

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/go-gl/gl/v4.3-core/gl"

	"synfire/engine/host"
)

// device is a context and the one OS thread that owns it. Work goes there by
// do, a whole batch in one message; everything else in this file runs on that
// thread.
type device struct {
	info     DeviceInfo
	opt      Options
	closed   atomic.Bool
	work     chan func()
	quit     chan bool    // closed: the device is
	left     atomic.Int32 // jobs that were interrupted and left to the driver, and go on
	ctx      *eglContext
	binary   bool          // program binaries can be kept
	handed   int           // texts that the driver was given and has not been asked about since
	most     int           // of these at a time
	fresh    bool          // programs were made since the last wait: a driver may compile them at their first dispatch
	clock    bool          // it tells the time
	sms      int           // multiprocessors, 0 where the driver does not tell
	stage    *stage        // of buffers that stay on the device; nil: the driver cannot be told so
	reset    func() uint32 // what became of the context; nil: the driver cannot tell
	note     string        // what the user should know of the choice of this device, "" if nothing
	chainBad bool          // long chains of dispatches lose their order
	apart    bool          // a rendezvous failed in a run: each pass is a dispatch from then on
	used     int64
	rows     map[rowsKey]*rows  // on the device
	programs map[string]*shared // by text
	backends atomic.Int32       // that are open
	beside   beside
	abreast  []*abreast
	bound    []*memoryBuffer // by storage block
}

// openDevice starts the thread and makes the context.
func openDevice(p place, number int, opt Options) (*device, error) {
	d := &device{opt: opt, rows: map[rowsKey]*rows{}, programs: map[string]*shared{}, work: make(chan func()), quit: make(chan bool), info: DeviceInfo{Number: number, Node: p.node, Software: p.software}}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and its context with it
		ctx, err := p.open()
		if err == nil {
			d.ctx = ctx
			if err = d.query(); err != nil {
				ctx.close()
			}
		}
		ready <- err
		if err != nil {
			return
		}
		for {
			select {
			case f := <-d.work:
				f()
			case <-d.quit:
				ctx.close()
				return
			}
		}
	}()
	if err := <-ready; err != nil {
		return nil, &DeviceError{Kind: NoDevice, Device: p.node, Detail: err.Error()}
	}
	return d, nil
}

var errClosed = errors.New("gl: the backend is closed")

// do runs f on the thread of the context. A closed device runs nothing; who uses
// one from several goroutines closes it after the last.
func (d *device) do(f func() error) error {
	if d.closed.Load() {
		return errClosed
	}
	done := make(chan error)
	select {
	case d.work <- func() { done <- f() }:
		return <-done
	case <-d.quit:
		return errClosed
	}
}

// await is do for what may take long in the driver, which hears of no interruption: it is left to itself soon after
// one, and undone when it ends, as where it fails. Who comes after it waits for it.
func (d *device) await(w host.Work, f func() error, undo func()) error {
	if d.closed.Load() {
		return errClosed
	}
	done, left := make(chan error), make(chan bool)
	job := func() {
		err := f()
		if err != nil {
			undo()
		}
		select {
		case done <- err:
		case <-left:
			if err == nil {
				undo()
			}
			d.left.Add(-1)
		}
	}
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for work, quit, looks := d.work, d.quit, 10; ; { // as a rule f hears of an interruption itself
		select {
		case work <- job:
			work, quit = nil, nil // it is begun, and ends before the device does
		case err := <-done:
			return err
		case <-quit:
			return errClosed
		case <-look.C:
			if w.Err() == nil {
				continue
			}
			if looks--; work == nil && looks >= 0 {
				continue
			}
			if work == nil {
				d.left.Add(1)
				close(left)
			}
			return w.Err()
		}
	}
}

func (d *device) close() {
	if !d.closed.Swap(true) {
		close(d.quit)
	}
}

func (d *device) fail(k Kind, format string, args ...any) error {
	return &DeviceError{Kind: k, Device: d.info.Name, Detail: fmt.Sprintf(format, args...)}
}

// query fills info. It must come first: it loads the functions of GL.
func (d *device) query() error {
	if err := gl.InitWithProcAddrFunc(eglProc); err != nil {
		return err
	}
	i := &d.info
	i.Name, i.Vendor, i.Version = gl.GoStr(gl.GetString(gl.RENDERER)), gl.GoStr(gl.GetString(gl.VENDOR)), gl.GoStr(gl.GetString(gl.VERSION))
	var major, minor int32
	gl.GetIntegerv(gl.MAJOR_VERSION, &major)
	gl.GetIntegerv(gl.MINOR_VERSION, &minor)
	if major*10+minor < 43 {
		return fmt.Errorf("%s offers OpenGL %d.%d, compute shaders need 4.3", i.Name, major, minor)
	}
	for _, soft := range []string{"llvmpipe", "softpipe", "lavapipe", "SwiftShader"} {
		i.Software = i.Software || strings.Contains(i.Name, soft)
	}
	gl.GetInteger64v(gl.MAX_SHADER_STORAGE_BLOCK_SIZE, &i.MaxBlock)
	var blocks, bindings, shared, local, formats int32
	gl.GetIntegerv(gl.MAX_COMPUTE_SHADER_STORAGE_BLOCKS, &blocks)
	gl.GetIntegerv(gl.MAX_SHADER_STORAGE_BUFFER_BINDINGS, &bindings)
	gl.GetIntegerv(gl.MAX_COMPUTE_SHARED_MEMORY_SIZE, &shared)
	gl.GetIntegerv(gl.MAX_COMPUTE_WORK_GROUP_INVOCATIONS, &local)
	gl.GetIntegerv(gl.NUM_PROGRAM_BINARY_FORMATS, &formats)
	if n := int32(d.opt.MaxBlocks); n > 0 {
		blocks = min(blocks, n)
	}
	i.MaxBlocks, i.MaxShared, i.MaxLocal = int(min(blocks, bindings)), int(shared), int(local)
	d.binary = formats > 0
	d.clock = timestamps()
	has := extensions()
	if !d.opt.Movable && (major*10+minor >= 44 || slices.Contains(has, "GL_ARB_buffer_storage")) {
		d.stage = newStage()
	}
	d.reset = resetStatus(int(major*10+minor), has)
	compileBeside(has)
	if slices.Contains(has, "GL_NV_shader_thread_group") {
		const smCount = 0x933B
		var n int32
		gl.GetIntegerv(smCount, &n)
		d.sms = int(n)
	}
	for axis := range i.MaxGroups {
		var n int32
		gl.GetIntegeri_v(gl.MAX_COMPUTE_WORK_GROUP_COUNT, uint32(axis), &n)
		i.MaxGroups[axis] = int(n)
	}
	i.Memory, i.MemoryFree = videoMemory()
	gl.GetError()
	return nil
}

// extensions lists what the driver has.
func extensions() []string {
	var n int32
	gl.GetIntegerv(gl.NUM_EXTENSIONS, &n)
	var out []string
	for i := range uint32(n) {
		out = append(out, gl.GoStr(gl.GetStringi(gl.EXTENSIONS, i)))
	}
	return out
}

// resetStatus is the function that tells of a reset. It is of OpenGL 4.5 and of two extensions;
// elsewhere it may be a null pointer.
func resetStatus(version int, extensions []string) func() uint32 {
	switch {
	case version >= 45, slices.Contains(extensions, "GL_KHR_robustness"):
		return gl.GetGraphicsResetStatus
	case slices.Contains(extensions, "GL_ARB_robustness"):
		return gl.GetGraphicsResetStatusARB
	}
	return nil
}

// videoMemory is what NVX_gpu_memory_info or ATI_meminfo tell, zeros without them.
func videoMemory() (all, free int64) {
	const nvxTotal, nvxFree, atiFree = 0x9048, 0x9049, 0x87FC
	for _, name := range extensions() {
		var kib [4]int32
		switch name {
		case "GL_NVX_gpu_memory_info":
			gl.GetIntegerv(nvxTotal, &kib[0])
			gl.GetIntegerv(nvxFree, &kib[1])
			return int64(kib[0]) << 10, int64(kib[1]) << 10
		case "GL_ATI_meminfo":
			gl.GetIntegerv(atiFree, &kib[0])
			free = int64(kib[0]) << 10
		}
	}
	return all, free
}

// check turns GL's error and reset status into ours; what names the action.
func (d *device) check(what string) error {
	s := uint32(gl.NO_ERROR)
	if d.reset != nil {
		s = d.reset()
	}
	if s != gl.NO_ERROR || d.opt.Inject == "lost" && what == "run" {
		why := map[uint32]string{gl.GUILTY_CONTEXT_RESET: "this program's work took too long or failed", gl.INNOCENT_CONTEXT_RESET: "another program's work failed", gl.NO_ERROR: "injected"}[s]
		return d.fail(Lost, "the driver reset it (%s); run again, with a shorter submission if it recurs", why)
	}
	switch e := gl.GetError(); {
	case e == gl.OUT_OF_MEMORY:
		return d.fail(NoMemory, "while %s, with %d MiB in use by this program", what, d.used>>20)
	case e != gl.NO_ERROR:
		return d.fail(DriverSaid, "OpenGL error 0x%x while %s", e, what)
	}
	return nil
}

// alloc makes a buffer of so many words, filled from the head of init and zero after it.
func (d *device) alloc(words int, init []uint32) (*memoryBuffer, error) {
	b, err := d.reserve(max(words, 4))
	if err != nil {
		return nil, err
	}
	b.fill(0, b.words, 0)
	b.write(0, init)
	d.used += 4 * int64(b.words)
	if err := d.check(fmt.Sprintf("allocating %d MiB", words>>18)); err != nil {
		b.free()
		return nil, err
	}
	return b, nil
}

// reserve makes a buffer whose words are whatever they are.
func (d *device) reserve(words int) (*memoryBuffer, error) {
	b := &memoryBuffer{words: words, by: d.stage}
	gl.GenBuffers(1, &b.id)
	gl.BindBuffer(gl.SHADER_STORAGE_BUFFER, b.id)
	if b.by != nil {
		gl.BufferStorage(gl.SHADER_STORAGE_BUFFER, 4*words, nil, 0)
	} else {
		gl.BufferData(gl.SHADER_STORAGE_BUFFER, 4*words, nil, gl.DYNAMIC_COPY)
	}
	if e := gl.GetError(); e != gl.NO_ERROR {
		b.free()
		return nil, d.fail(NoMemory, "while allocating %d MiB, with %d MiB in use by this program", words>>18, d.used>>20)
	}
	return b, nil
}

const stageWords = 1 << 20

func newStage() *stage {
	s := &stage{}
	gl.GenBuffers(1, &s.up)
	gl.GenBuffers(1, &s.down)
	gl.BindBuffer(gl.COPY_READ_BUFFER, s.up)
	gl.BufferData(gl.COPY_READ_BUFFER, 4*stageWords, nil, gl.STREAM_DRAW)
	gl.BindBuffer(gl.COPY_READ_BUFFER, s.down)
	gl.BufferData(gl.COPY_READ_BUFFER, 4*stageWords, nil, gl.STREAM_READ)
	return s
}

func (s *stage) write(b *memoryBuffer, off int, src []uint32) {
	for len(src) > 0 {
		n := min(len(src), stageWords)
		gl.BindBuffer(gl.COPY_READ_BUFFER, s.up)
		if s.at+n > stageWords { // a new one, while copies may still read the old
			gl.BufferData(gl.COPY_READ_BUFFER, 4*stageWords, nil, gl.STREAM_DRAW)
			s.at = 0
		}
		gl.BufferSubData(gl.COPY_READ_BUFFER, 4*s.at, 4*n, unsafe.Pointer(&src[0]))
		gl.BindBuffer(gl.COPY_WRITE_BUFFER, b.id)
		gl.CopyBufferSubData(gl.COPY_READ_BUFFER, gl.COPY_WRITE_BUFFER, 4*s.at, 4*off, 4*n)
		s.at, off, src = s.at+n, off+n, src[n:]
	}
}

func (s *stage) read(b *memoryBuffer, off int, dst []uint32) {
	for len(dst) > 0 {
		n := min(len(dst), stageWords)
		gl.BindBuffer(gl.COPY_READ_BUFFER, b.id)
		gl.BindBuffer(gl.COPY_WRITE_BUFFER, s.down)
		gl.CopyBufferSubData(gl.COPY_READ_BUFFER, gl.COPY_WRITE_BUFFER, 4*off, 0, 4*n)
		gl.GetBufferSubData(gl.COPY_WRITE_BUFFER, 0, 4*n, unsafe.Pointer(&dst[0]))
		off, dst = off+n, dst[n:]
	}
}

func (b *memoryBuffer) free() {
	if b != nil {
		gl.DeleteBuffers(1, &b.id)
	}
}

// transfers counts copies between host and device.
var transfers atomic.Int64

// whole is the buffer itself, and where the word off of b is in it.
func (b *memoryBuffer) whole(off int) (*memoryBuffer, int) {
	if b.base != nil {
		return b.base, b.from + off
	}
	return b, off
}

func (b *memoryBuffer) write(off int, src []uint32) {
	b, off = b.whole(off)
	switch {
	case len(src) == 0:
	case b.by != nil:
		transfers.Add(1)
		b.by.write(b, off, src)
	default:
		transfers.Add(1)
		gl.BindBuffer(gl.SHADER_STORAGE_BUFFER, b.id)
		gl.BufferSubData(gl.SHADER_STORAGE_BUFFER, 4*off, 4*len(src), unsafe.Pointer(&src[0]))
	}
}

func (b *memoryBuffer) read(off int, dst []uint32) {
	b, off = b.whole(off)
	switch {
	case len(dst) == 0:
	case b.by != nil:
		transfers.Add(1)
		b.by.read(b, off, dst)
	default:
		transfers.Add(1)
		gl.BindBuffer(gl.SHADER_STORAGE_BUFFER, b.id)
		gl.GetBufferSubData(gl.SHADER_STORAGE_BUFFER, 4*off, 4*len(dst), unsafe.Pointer(&dst[0]))
	}
}

func (b *memoryBuffer) fill(off, n int, word uint32) {
	b, off = b.whole(off)
	if n > 0 {
		gl.BindBuffer(gl.SHADER_STORAGE_BUFFER, b.id)
		gl.ClearBufferSubData(gl.SHADER_STORAGE_BUFFER, gl.R32UI, 4*off, 4*n, gl.RED_INTEGER, gl.UNSIGNED_INT, unsafe.Pointer(&word))
	}
}

// bind binds buffers to the blocks 0, 1, ... of a kernel, those that are not there yet.
func (d *device) bind(buffers []*memoryBuffer) {
	for i, b := range buffers {
		if i == len(d.bound) {
			d.bound = append(d.bound, nil)
		}
		if b, _ = b.whole(0); d.bound[i] != b {
			gl.BindBufferBase(gl.SHADER_STORAGE_BUFFER, uint32(i), b.id)
			d.bound[i] = b
		}
	}
}

// wait waits for what was submitted, at most opt.Fence seconds.
func (d *device) wait() error {
	limit := d.opt.Fence
	if limit <= 0 {
		limit = 20
	}
	if d.fresh {
		limit *= 3
	}
	fence := gl.FenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0)
	defer gl.DeleteSync(fence)
	gl.Flush()
	start := time.Now()
	for pause := 5 * time.Microsecond; ; {
		switch gl.ClientWaitSync(fence, gl.SYNC_FLUSH_COMMANDS_BIT, 1e6) {
		case gl.ALREADY_SIGNALED, gl.CONDITION_SATISFIED:
			if d.opt.Inject != "fence" {
				d.fresh = false
				return d.check("run")
			}
			limit = 0
		case gl.WAIT_FAILED:
			return errors.Join(d.check("run"), d.fail(Lost, "waiting for it failed"))
		}
		if time.Since(start) > time.Duration(limit)*time.Second {
			return d.fail(NoFence, "no answer for %d s; its driver may hang: see the system log, restart the device or use --backend cpu", limit)
		}
		time.Sleep(pause)
		pause = min(2*pause, time.Millisecond)
	}
}
