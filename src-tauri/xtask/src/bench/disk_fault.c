/* Simulates a faulty disk for a program that is started with LD_PRELOAD. The first byte of the file
 * $BENCH_DISK_FAULT selects the fault and may change while the program runs: 's' delays each write by
 * 200 ms, 'f' is a full disk, 'r' a disk that has become read-only; anything else is a good disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static volatile const char *fault = "-";

__attribute__((constructor)) static void map_fault(void) {
    const char *path = getenv("BENCH_DISK_FAULT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(0, 1, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) fault = page;
}

/* Returns 0 if the write may proceed. */
static int refused(int file) {
    struct stat about;
    if (*fault == '-' || fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) return 0;
    if (*fault == 's') {
        struct timespec wait = {0, 200 * 1000 * 1000};
        nanosleep(&wait, 0);
        return 0;
    }
    errno = *fault == 'f' ? ENOSPC : EROFS;
    return 1;
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int file, const void *bytes, size_t count) {
    return refused(file) ? -1 : NEXT(ssize_t (*)(int, const void *, size_t), "write")(file, bytes, count);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    return refused(file) ? -1 : NEXT(ssize_t (*)(int, const void *, size_t, off_t), "pwrite")(file, bytes, count, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    return refused(file) ? -1 : NEXT(ssize_t (*)(int, const void *, size_t, off64_t), "pwrite64")(file, bytes, count, at);
}
int fsync(int file) { return refused(file) ? -1 : NEXT(int (*)(int), "fsync")(file); }
int fdatasync(int file) { return refused(file) ? -1 : NEXT(int (*)(int), "fdatasync")(file); }
