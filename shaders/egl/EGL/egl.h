// Stands in for EGL's header where that is not installed: the bindings of OpenGL want this one function and never call it,
// since package shaders loads the library itself.
static inline void *eglGetProcAddress(const char *name) { return (void *)0; }
