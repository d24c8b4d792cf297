//go:build egl && cgo && linux

package shaders

/*
#cgo pkg-config: egl
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <stdlib.h>
#include <string.h>

typedef struct { EGLDisplay display; EGLContext context; EGLSurface surface; } egl_context;

static int egl_has(const char *list, const char *name) {
	size_t n = strlen(name);
	for (const char *p = list; p && (p = strstr(p, name)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == 0)) return 1;
	return 0;
}

// Number of EGL devices, at most max of them in out; -1 without the extension.
static int egl_devices(void **out, int max) {
	PFNEGLQUERYDEVICESEXTPROC query = (PFNEGLQUERYDEVICESEXTPROC)eglGetProcAddress("eglQueryDevicesEXT");
	const char *ext = eglQueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS);
	EGLint n = 0;
	if (!query || !(egl_has(ext, "EGL_EXT_device_enumeration") || egl_has(ext, "EGL_EXT_device_base"))) return -1;
	if (!query(max, (EGLDeviceEXT *)out, &n)) return -1;
	return n;
}

static const char *egl_device_string(void *device, int name) {
	PFNEGLQUERYDEVICESTRINGEXTPROC query = (PFNEGLQUERYDEVICESTRINGEXTPROC)eglGetProcAddress("eglQueryDeviceStringEXT");
	const char *ext = query ? query(device, EGL_EXTENSIONS) : 0;
	if (name == EGL_DRM_RENDER_NODE_FILE_EXT && !egl_has(ext, "EGL_EXT_device_drm_render_node")) return 0;
	return query ? query(device, name) : 0;
}

// A 4.3 core context without a surface, current on this thread. device NULL: the
// surfaceless platform. The result is 0 or the step that failed.
static int egl_open(void *device, egl_context *c) {
	PFNEGLGETPLATFORMDISPLAYEXTPROC get = (PFNEGLGETPLATFORMDISPLAYEXTPROC)eglGetProcAddress("eglGetPlatformDisplayEXT");
	c->display = EGL_NO_DISPLAY; c->context = EGL_NO_CONTEXT; c->surface = EGL_NO_SURFACE;
	if (!get) return 1;
	if (device) c->display = get(EGL_PLATFORM_DEVICE_EXT, device, 0);
	else c->display = get(EGL_PLATFORM_SURFACELESS_MESA, (void *)EGL_DEFAULT_DISPLAY, 0);
	if (c->display == EGL_NO_DISPLAY) return 2;
	if (!eglInitialize(c->display, 0, 0)) return 3;
	if (!eglBindAPI(EGL_OPENGL_API)) return 4;
	const char *ext = eglQueryString(c->display, EGL_EXTENSIONS);
	EGLConfig config = EGL_NO_CONFIG_KHR;
	EGLint want[] = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_NONE}, n = 0;
	if (!egl_has(ext, "EGL_KHR_no_config_context") && (!eglChooseConfig(c->display, want, &config, 1, &n) || n < 1)) return 5;
	EGLint with[] = {EGL_CONTEXT_MAJOR_VERSION_KHR, 4, EGL_CONTEXT_MINOR_VERSION_KHR, 3,
		EGL_CONTEXT_OPENGL_PROFILE_MASK_KHR, EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT_KHR,
		EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY_KHR, EGL_LOSE_CONTEXT_ON_RESET_KHR, EGL_NONE};
	c->context = eglCreateContext(c->display, config, EGL_NO_CONTEXT, with);
	if (c->context == EGL_NO_CONTEXT) {
		with[6] = EGL_NONE; // a driver without robustness
		c->context = eglCreateContext(c->display, config, EGL_NO_CONTEXT, with);
	}
	if (c->context == EGL_NO_CONTEXT) return 6;
	if (!egl_has(ext, "EGL_KHR_surfaceless_context")) {
		EGLint size[] = {EGL_WIDTH, 1, EGL_HEIGHT, 1, EGL_NONE};
		if (!eglChooseConfig(c->display, want, &config, 1, &n) || n < 1) return 5;
		c->surface = eglCreatePbufferSurface(c->display, config, size);
	}
	if (!eglMakeCurrent(c->display, c->surface, c->surface, c->context)) return 7;
	return 0;
}

static void egl_close(egl_context *c) {
	if (c->display == EGL_NO_DISPLAY) return;
	eglMakeCurrent(c->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
	if (c->surface != EGL_NO_SURFACE) eglDestroySurface(c->display, c->surface);
	if (c->context != EGL_NO_CONTEXT) eglDestroyContext(c->display, c->context);
	eglReleaseThread();
}

static int egl_error(void) { return eglGetError(); }
static void *egl_proc(const char *name) { return (void *)eglGetProcAddress(name); }
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

// place is where a context can be made: an EGL device, or the surfaceless
// platform (device nil).
type place struct {
	device   unsafe.Pointer
	node     string
	software bool
}

// places lists EGL's devices, hardware before software, then the surfaceless
// platform, which drivers chosen by environment variables may need.
func places() []place {
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
	return append(append(hard, soft...), place{})
}

var openSteps = [...]string{"", "libEGL lacks eglGetPlatformDisplayEXT", "no display for it", "eglInitialize failed",
	"no desktop OpenGL", "no configuration without a window", "no OpenGL 4.3 core context", "eglMakeCurrent failed"}

type eglContext struct{ c C.egl_context }

// open makes a context and makes it current on the calling thread.
func (p place) open() (*eglContext, error) {
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
