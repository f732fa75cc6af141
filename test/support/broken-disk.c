/*
 * A disk that takes nothing any more while a program runs, as one that the system has made read-only after an error: preloaded into
 * the program. BROKEN_DISK is the folder; while the file named by BROKEN_DISK_SWITCH is there, whatever would change it fails.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_on_disk(const char *path) {
  const char *folder = getenv("BROKEN_DISK");
  return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_broken(void) {
  const char *name = getenv("BROKEN_DISK_SWITCH");
  int (*check)(const char *, int) = (int (*)(const char *, int))dlsym(RTLD_NEXT, "access");
  int before = errno;
  int there = name != NULL && check(name, F_OK) == 0;
  errno = before;
  return there;
}

static int refuses_path(const char *path) {
  if (!is_on_disk(path) || !is_broken()) return 0;
  errno = EROFS;
  return 1;
}

static int refuses(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int before = errno;
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = before;
  if (length < 0) return 0;
  path[length] = 0;
  return refuses_path(path);
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) {
  return refuses(fd) ? -1 : REAL(write, ssize_t (*)(int, const void *, size_t))(fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  return refuses(fd) ? -1 : REAL(pwrite, ssize_t (*)(int, const void *, size_t, off_t))(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  return refuses(fd) ? -1 : REAL(pwrite64, ssize_t (*)(int, const void *, size_t, off64_t))(fd, data, size, at);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  return refuses(fd) ? -1 : REAL(writev, ssize_t (*)(int, const struct iovec *, int))(fd, parts, count);
}
int ftruncate(int fd, off_t size) { return refuses(fd) ? -1 : REAL(ftruncate, int (*)(int, off_t))(fd, size); }
int ftruncate64(int fd, off64_t size) { return refuses(fd) ? -1 : REAL(ftruncate64, int (*)(int, off64_t))(fd, size); }
int rename(const char *from, const char *to) { return refuses_path(to) ? -1 : REAL(rename, int (*)(const char *, const char *))(from, to); }
int unlink(const char *path) { return refuses_path(path) ? -1 : REAL(unlink, int (*)(const char *))(path); }
int access(const char *path, int mode) {
  return (mode & W_OK) && refuses_path(path) ? -1 : REAL(access, int (*)(const char *, int))(path, mode);
}

#define OPEN(name)                                                                            \
  int name(const char *path, int flags, ...) {                                                \
    va_list rest;                                                                             \
    va_start(rest, flags);                                                                    \
    int mode = va_arg(rest, int);                                                             \
    va_end(rest);                                                                             \
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) && refuses_path(path)) return -1;             \
    return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode);     \
  }
OPEN(open)
OPEN(open64)
