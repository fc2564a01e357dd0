// Preloaded into a server, makes its disk one that takes a millisecond to flush, whatever it really is. The server has to run
// with wal_sync_method = fdatasync or fsync; with fsync = off it never comes here.

#include <errno.h>
#include <time.h>

static int flush(void) {
    struct timespec left = {0, 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
    return 0;
}

int fsync(int file) {
    (void)file;
    return flush();
}

int fdatasync(int file) {
    (void)file;
    return flush();
}
