//go:build egl && cgo && linux

package shaders

/*
#cgo LDFLAGS: -Wl,--as-needed -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// What is used of EGL 1.5, as Khronos publishes it. The library is loaded when a device is asked for, so that a program
// with this backend starts, and runs on the cpu, where there is none.
typedef void *EGLDisplay, *EGLConfig, *EGLContext, *EGLSurface, *EGLDeviceEXT;
typedef int32_t EGLint;
typedef unsigned int EGLBoolean, EGLenum;
#define EGL_NO_DISPLAY ((EGLDisplay)0)
#define EGL_NO_CONTEXT ((EGLContext)0)
#define EGL_NO_SURFACE ((EGLSurface)0)
#define EGL_NO_CONFIG_KHR ((EGLConfig)0)
enum {
	EGL_NONE = 0x3038, EGL_HEIGHT = 0x3056, EGL_WIDTH = 0x3057,
	EGL_SURFACE_TYPE = 0x3033, EGL_PBUFFER_BIT = 0x0001, EGL_RENDERABLE_TYPE = 0x3040, EGL_OPENGL_BIT = 0x0008,
	EGL_OPENGL_API = 0x30A2, EGL_EXTENSIONS = 0x3055,
	EGL_CONTEXT_MAJOR_VERSION = 0x3098, EGL_CONTEXT_MINOR_VERSION = 0x30FB,
	EGL_CONTEXT_OPENGL_PROFILE_MASK = 0x30FD, EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT = 0x0001,
	EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY_KHR = 0x31BD, EGL_LOSE_CONTEXT_ON_RESET_KHR = 0x31BF,
	EGL_PLATFORM_DEVICE_EXT = 0x313F, EGL_PLATFORM_SURFACELESS_MESA = 0x31DD, EGL_DRM_RENDER_NODE_FILE_EXT = 0x3377,
};
#define EGL_FUNCTIONS(X) \
	X(EGLint, GetError, (void)) \
	X(void *, GetProcAddress, (const char *)) \
	X(const char *, QueryString, (EGLDisplay, EGLint)) \
	X(EGLBoolean, Initialize, (EGLDisplay, EGLint *, EGLint *)) \
	X(EGLBoolean, BindAPI, (EGLenum)) \
	X(EGLBoolean, ChooseConfig, (EGLDisplay, const EGLint *, EGLConfig *, EGLint, EGLint *)) \
	X(EGLContext, CreateContext, (EGLDisplay, EGLConfig, EGLContext, const EGLint *)) \
	X(EGLSurface, CreatePbufferSurface, (EGLDisplay, EGLConfig, const EGLint *)) \
	X(EGLBoolean, MakeCurrent, (EGLDisplay, EGLSurface, EGLSurface, EGLContext)) \
	X(EGLBoolean, DestroySurface, (EGLDisplay, EGLSurface)) \
	X(EGLBoolean, DestroyContext, (EGLDisplay, EGLContext)) \
	X(EGLBoolean, ReleaseThread, (void))
static struct {
#define X(result, name, args) result (*name) args;
	EGL_FUNCTIONS(X)
#undef X
} egl;
typedef EGLBoolean (*query_devices)(EGLint, EGLDeviceEXT *, EGLint *);
typedef const char *(*query_device_string)(EGLDeviceEXT, EGLint);
typedef EGLDisplay (*get_platform_display)(EGLenum, void *, const EGLint *);

// egl_load loads the library; the result is NULL or what is missing.
static const char *egl_load(void) {
	void *lib = dlopen("libEGL.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!lib) return dlerror();
#define X(result, name, args) \
	if (!(egl.name = (result (*) args)dlsym(lib, "egl" #name))) return "libEGL.so.1 lacks egl" #name;
	EGL_FUNCTIONS(X)
#undef X
	return 0;
}

// The bindings of GL name this function, though what they load goes by egl_proc. Defined here it is no reason for the
// linker to bind the program to libEGL; hidden, it is not seen by that library.
__attribute__((visibility("hidden"))) void *eglGetProcAddress(const char *name) {
	return egl.GetProcAddress ? egl.GetProcAddress(name) : 0;
}

// Whether memory that was written may be made executable, which renderers in software do without asking.
static int may_execute(void) {
	const size_t n = 4096;
	void *p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) return 1;
	int ok = mprotect(p, n, PROT_READ | PROT_EXEC) == 0;
	munmap(p, n);
	return ok;
}

typedef struct { EGLDisplay display; EGLContext context; EGLSurface surface; } egl_context;

static int egl_has(const char *list, const char *name) {
	size_t n = strlen(name);
	for (const char *p = list; p && (p = strstr(p, name)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == 0)) return 1;
	return 0;
}

// Number of EGL devices, at most max of them in out; -1 without the extension.
static int egl_devices(void **out, int max) {
	query_devices query = (query_devices)egl.GetProcAddress("eglQueryDevicesEXT");
	const char *ext = egl.QueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS);
	EGLint n = 0;
	if (!query || !(egl_has(ext, "EGL_EXT_device_enumeration") || egl_has(ext, "EGL_EXT_device_base"))) return -1;
	if (!query(max, (EGLDeviceEXT *)out, &n)) return -1;
	return n;
}

static const char *egl_device_string(void *device, int name) {
	query_device_string query = (query_device_string)egl.GetProcAddress("eglQueryDeviceStringEXT");
	const char *ext = query ? query(device, EGL_EXTENSIONS) : 0;
	if (name == EGL_DRM_RENDER_NODE_FILE_EXT && !egl_has(ext, "EGL_EXT_device_drm_render_node")) return 0;
	return query ? query(device, name) : 0;
}

// A 4.3 core context without a surface, current on this thread. device NULL: the
// surfaceless platform. The result is 0 or the step that failed.
static int egl_open(void *device, egl_context *c) {
	get_platform_display get = (get_platform_display)egl.GetProcAddress("eglGetPlatformDisplayEXT");
	c->display = EGL_NO_DISPLAY; c->context = EGL_NO_CONTEXT; c->surface = EGL_NO_SURFACE;
	if (!get) return 1;
	if (device) c->display = get(EGL_PLATFORM_DEVICE_EXT, device, 0);
	else c->display = get(EGL_PLATFORM_SURFACELESS_MESA, (void *)0, 0);
	if (c->display == EGL_NO_DISPLAY) return 2;
	if (!egl.Initialize(c->display, 0, 0)) return 3;
	if (!egl.BindAPI(EGL_OPENGL_API)) return 4;
	const char *ext = egl.QueryString(c->display, EGL_EXTENSIONS);
	EGLConfig config = EGL_NO_CONFIG_KHR;
	EGLint want[] = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_NONE}, n = 0;
	if (!egl_has(ext, "EGL_KHR_no_config_context") && (!egl.ChooseConfig(c->display, want, &config, 1, &n) || n < 1)) return 5;
	EGLint with[] = {EGL_CONTEXT_MAJOR_VERSION, 4, EGL_CONTEXT_MINOR_VERSION, 3,
		EGL_CONTEXT_OPENGL_PROFILE_MASK, EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT,
		EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY_KHR, EGL_LOSE_CONTEXT_ON_RESET_KHR, EGL_NONE};
	c->context = egl.CreateContext(c->display, config, EGL_NO_CONTEXT, with);
	if (c->context == EGL_NO_CONTEXT) {
		with[6] = EGL_NONE; // a driver without robustness
		c->context = egl.CreateContext(c->display, config, EGL_NO_CONTEXT, with);
	}
	if (c->context == EGL_NO_CONTEXT) return 6;
	if (!egl_has(ext, "EGL_KHR_surfaceless_context")) {
		EGLint size[] = {EGL_WIDTH, 1, EGL_HEIGHT, 1, EGL_NONE};
		if (!egl.ChooseConfig(c->display, want, &config, 1, &n) || n < 1) return 5;
		c->surface = egl.CreatePbufferSurface(c->display, config, size);
	}
	if (!egl.MakeCurrent(c->display, c->surface, c->surface, c->context)) return 7;
	return 0;
}

static void egl_close(egl_context *c) {
	if (c->display == EGL_NO_DISPLAY) return;
	egl.MakeCurrent(c->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
	if (c->surface != EGL_NO_SURFACE) egl.DestroySurface(c->display, c->surface);
	if (c->context != EGL_NO_CONTEXT) egl.DestroyContext(c->display, c->context);
	egl.ReleaseThread();
}

// A dispatch and the barrier before it, n times: one call from Go for all.
static void repeat_dispatch(void *dispatch, void *barrier, unsigned across, unsigned down, unsigned deep, unsigned bits, int n) {
	for (; n > 0; n--) {
		((void (*)(unsigned))barrier)(bits);
		((void (*)(unsigned, unsigned, unsigned))dispatch)(across, down, deep);
	}
}

static int egl_error(void) { return egl.GetError(); }
static void *egl_proc(const char *name) { return egl.GetProcAddress(name); }
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unsafe"
)

// loadEGL loads the library, once.
var loadEGL = sync.OnceValue(func() error {
	if missing := C.egl_load(); missing != nil {
		return &DeviceError{Kind: NoDevice, Detail: fmt.Sprintf("the library EGL cannot be loaded (%s); on Debian or Ubuntu \"apt-get install libegl1 libgl1-mesa-dri\" gives it with a software renderer; --backend cpu gives the same bits", C.GoString(missing))}
	}
	return nil
})

// place is where a context can be made: an EGL device, or the surfaceless
// platform (device nil).
type place struct {
	device   unsafe.Pointer
	node     string
	software bool
}

// places lists EGL's devices, hardware before software, then the surfaceless
// platform, which drivers chosen by environment variables may need.
func places() ([]place, error) {
	if err := loadEGL(); err != nil {
		return nil, err
	}
	const most = 32
	list := (*[most]unsafe.Pointer)(C.calloc(most, C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(list))
	n := int(C.egl_devices((*unsafe.Pointer)(unsafe.Pointer(list)), most))
	var hard, soft []place
	for i := range max(n, 0) {
		p := place{device: list[i], node: C.GoString(C.egl_device_string(list[i], C.EGL_DRM_RENDER_NODE_FILE_EXT))}
		p.software = strings.Contains(C.GoString(C.egl_device_string(list[i], C.EGL_EXTENSIONS)), "EGL_MESA_device_software")
		if p.software {
			soft = append(soft, p)
		} else {
			hard = append(hard, p)
		}
	}
	return append(append(hard, soft...), place{}), nil
}

var openSteps = [...]string{"", "libEGL lacks eglGetPlatformDisplayEXT", "no display for it", "eglInitialize failed",
	"no desktop OpenGL", "no configuration without a window", "no OpenGL 4.3 core context", "eglMakeCurrent failed"}

type eglContext struct{ c C.egl_context }

// open makes a context and makes it current on the calling thread.
func (p place) open() (*eglContext, error) {
	if (p.software || p.device == nil) && C.may_execute() == 0 {
		return nil, errors.New("this process may not make memory executable (PR_SET_MDWE or the like), as a renderer in software must")
	}
	ctx := new(eglContext)
	if at := C.egl_open(p.device, &ctx.c); at != 0 {
		err := fmt.Errorf("%s (EGL error 0x%x)", openSteps[at], int(C.egl_error()))
		ctx.close()
		return nil, err
	}
	return ctx, nil
}

func (ctx *eglContext) close() { C.egl_close(&ctx.c) }

func eglProc(name string) unsafe.Pointer {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	return C.egl_proc(s)
}

var (
	dispatchProc = sync.OnceValue(func() unsafe.Pointer { return eglProc("glDispatchCompute") })
	barrierProc  = sync.OnceValue(func() unsafe.Pointer { return eglProc("glMemoryBarrier") })
)

// repeatDispatch makes n dispatches, each of which waits for what was written before.
func repeatDispatch(across, down, deep uint32, n int) {
	const storage = 0x2000 // GL_SHADER_STORAGE_BARRIER_BIT
	C.repeat_dispatch(dispatchProc(), barrierProc(), C.uint(across), C.uint(down), C.uint(deep), storage, C.int(n))
}
