/* Makes every sync to disk take 15 ms more, whatever the disk: preloaded into the process that is measured. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

typedef int (*sync_call)(int);

static int slowly(const char *name, int fd) {
  struct timespec more = {0, 15 * 1000 * 1000};
  nanosleep(&more, 0);
  return ((sync_call)dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }
