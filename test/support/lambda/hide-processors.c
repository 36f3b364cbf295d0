// For LD_PRELOAD: hides the files about processors that Lambda's arm64 does not have. Libraries that compute read them when
// they start, and some end the process where there are none (pytorch/cpuinfo#143).
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#define HIDDEN "/sys/devices/system/cpu"

static int is_hidden(const char *path) {
  return path != NULL && strncmp(path, HIDDEN, strlen(HIDDEN)) == 0;
}

#define REFUSE_HIDDEN(path, failure) \
  do {                               \
    if (is_hidden(path)) {           \
      errno = ENOENT;                \
      return failure;                \
    }                                \
  } while (0)

static mode_t mode_of(int flags, va_list rest) {
  return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                                               \
  int name(const char *path, int flags, ...) {                                   \
    static int (*next)(const char *, int, ...);                                  \
    REFUSE_HIDDEN(path, -1);                                                     \
    if (next == NULL) next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name); \
    va_list rest;                                                                \
    va_start(rest, flags);                                                       \
    const mode_t mode = mode_of(flags, rest);                                    \
    va_end(rest);                                                                \
    return next(path, flags, mode);                                              \
  }

#define OPENAT(name)                                                                  \
  int name(int folder, const char *path, int flags, ...) {                            \
    static int (*next)(int, const char *, int, ...);                                  \
    REFUSE_HIDDEN(path, -1);                                                          \
    if (next == NULL) next = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name); \
    va_list rest;                                                                     \
    va_start(rest, flags);                                                            \
    const mode_t mode = mode_of(flags, rest);                                         \
    va_end(rest);                                                                     \
    return next(folder, path, flags, mode);                                           \
  }

#define FOPEN(name)                                                                       \
  FILE *name(const char *path, const char *mode) {                                        \
    static FILE *(*next)(const char *, const char *);                                     \
    REFUSE_HIDDEN(path, NULL);                                                            \
    if (next == NULL) next = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, #name); \
    return next(path, mode);                                                              \
  }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)

DIR *opendir(const char *path) {
  static DIR *(*next)(const char *);
  REFUSE_HIDDEN(path, NULL);
  if (next == NULL) next = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");
  return next(path);
}
