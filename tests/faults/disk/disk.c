/* Stands between a process and its disk (LD_PRELOAD).
 *
 * Under the directory DISK_UNDER it writes down every write, truncation, sync and removal in DISK_LOG, in
 * the order in which the process saw them done, and breaks what the first byte of DISK_SWITCH
 * tells it to break: 'F' the disk is full, 'E' the next sync fails once.
 *
 * A record is {kind, file, offset, length} as four 64-bit integers, then `length` bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { NAME = 1, WRITE = 2, TRUNCATE = 3, SYNC = 4, REMOVE = 5 };
enum { UNKNOWN = 0, ELSEWHERE = -1, FDS = 4096, FILES = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static const char *under;
static volatile char *control;
static int file_of[FDS];
static char *names[FILES];
static int files;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_close)(int);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_close = dlsym(RTLD_NEXT, "close");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  under = getenv("DISK_UNDER");
  const char *log = getenv("DISK_LOG");
  if (log) log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const char *path = getenv("DISK_SWITCH");
  if (path) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) control = page;
    real_close(fd);
  }
}

static void record(int64_t kind, int64_t file, int64_t offset, const void *data, int64_t length) {
  if (log_fd < 0) return;
  int64_t head[4] = {kind, file, offset, length};
  real_write(log_fd, head, sizeof head);
  if (length) real_write(log_fd, data, (size_t)length);
}

/* The number of a path under the directory, ELSEWHERE for others. Call with the lock held. */
static int file_at(const char *path) {
  size_t prefix = strlen(under);
  if (strncmp(path, under, prefix) || strstr(path, "-shm")) return ELSEWHERE;
  for (int file = 1; file <= files; file++)
    if (!strcmp(names[file], path + prefix)) return file;
  if (files + 1 >= FILES) abort();
  names[++files] = strdup(path + prefix);
  record(NAME, files, 0, names[files], (int64_t)strlen(names[files]));
  return files;
}

/* The file behind a descriptor, ELSEWHERE when it is none of ours. Call with the lock held. */
static int file_behind(int fd) {
  if (fd < 0 || fd >= FDS || fd == log_fd || !under) return ELSEWHERE;
  if (file_of[fd] != UNKNOWN) return file_of[fd];
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return ELSEWHERE;
  path[length] = 0;
  return file_of[fd] = file_at(path);
}

static int is_broken(int file, char how) { return file > 0 && control && *control == how; }

ssize_t write(int fd, const void *data, size_t length) {
  pthread_mutex_lock(&lock);
  int file = file_behind(fd);
  off_t at = file > 0 ? lseek(fd, 0, SEEK_CUR) : 0;
  if (file > 0 && fcntl(fd, F_GETFL) & O_APPEND) at = lseek(fd, 0, SEEK_END);
  ssize_t done = real_write(fd, data, length);
  if (file > 0 && done > 0) record(WRITE, file, at, data, done);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
  pthread_mutex_lock(&lock);
  int file = file_behind(fd);
  ssize_t done = -1;
  if (is_broken(file, 'F'))
    errno = ENOSPC;
  else
    done = real_pwrite(fd, data, length, offset);
  if (file > 0 && done > 0) record(WRITE, file, offset, data, done);
  pthread_mutex_unlock(&lock);
  return done;
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
  return pwrite64(fd, data, length, offset);
}

int ftruncate64(int fd, off_t length) {
  pthread_mutex_lock(&lock);
  int file = file_behind(fd);
  int failed = real_ftruncate(fd, length);
  if (file > 0 && !failed) record(TRUNCATE, file, length, NULL, 0);
  pthread_mutex_unlock(&lock);
  return failed;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int sync_with(int (*real)(int), int fd) {
  pthread_mutex_lock(&lock);
  int file = file_behind(fd);
  if (is_broken(file, 'E')) {
    *control = ' ';
    pthread_mutex_unlock(&lock);
    errno = EIO;
    return -1;
  }
  int failed = real(fd);
  if (file > 0 && !failed) record(SYNC, file, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return failed;
}
int fsync(int fd) { return sync_with(real_fsync, fd); }
int fdatasync(int fd) { return sync_with(real_fdatasync, fd); }

int close(int fd) {
  pthread_mutex_lock(&lock);
  if (fd >= 0 && fd < FDS) file_of[fd] = UNKNOWN;
  pthread_mutex_unlock(&lock);
  return real_close(fd);
}

int unlink(const char *path) {
  pthread_mutex_lock(&lock);
  int failed = real_unlink(path);
  int file = failed || !under ? ELSEWHERE : file_at(path);
  if (file > 0) record(REMOVE, file, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return failed;
}
