/* Memory between inaccessible pages, on POSIX and Windows. */
#ifndef SEPCONV_TESTS_CROSS_GUARDED_PAGES_H_
#define SEPCONV_TESTS_CROSS_GUARDED_PAGES_H_

#include <stddef.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>

enum { kPage = 65536 }; /* What Windows reserves in multiples of. */

/* Null on an error, as below. */
static unsigned char *reserve_pages(size_t bytes) {
    return (unsigned char *)VirtualAlloc(NULL, bytes, MEM_RESERVE, PAGE_NOACCESS);
}
static int open_pages(unsigned char *pages, size_t bytes) {
    return VirtualAlloc(pages, bytes, MEM_COMMIT, PAGE_READWRITE) != NULL;
}
static void close_pages(unsigned char *pages, size_t bytes) {
    (void)bytes;
    VirtualFree(pages, 0, MEM_RELEASE);
}
#else
#include <sys/mman.h>

enum { kPage = 65536 }; /* A multiple of every page size. */

static unsigned char *reserve_pages(size_t bytes) {
    void *pages = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : (unsigned char *)pages;
}
static int open_pages(unsigned char *pages, size_t bytes) {
    return mprotect(pages, bytes, PROT_READ | PROT_WRITE) == 0;
}
static void close_pages(unsigned char *pages, size_t bytes) {
    munmap(pages, bytes);
}
#endif

enum { kPoison = 0xff };

/* Bytes that end where the inaccessible pages begin, or begin `shift` bytes behind them. All other
 * accessible bytes of theirs are poison. */
typedef struct guarded_t {
    unsigned char *data;
    size_t bytes;
    unsigned char *pages; /* With one inaccessible page before and behind; null on an error. */
    size_t usable;
} guarded_t;

static void guarded_free(guarded_t *guarded) {
    if (guarded->pages != NULL) {
        close_pages(guarded->pages, guarded->usable + 2 * kPage);
    }
    guarded->pages = NULL;
}

static guarded_t guarded_make(size_t bytes, int at_end, size_t shift) {
    guarded_t made;
    made.bytes = bytes;
    made.usable = (bytes + shift + kPage) / kPage * kPage;
    made.pages = reserve_pages(made.usable + 2 * kPage);
    made.data = NULL;
    if (made.pages == NULL) {
        return made;
    }
    unsigned char *first = made.pages + kPage;
    if (!open_pages(first, made.usable)) {
        guarded_free(&made);
        return made;
    }
    memset(first, kPoison, made.usable);
    made.data = at_end ? first + made.usable - bytes - shift : first + shift;
    return made;
}

static int is_poison(const unsigned char *first, const unsigned char *last) {
    while (first < last && *first == kPoison) {
        ++first;
    }
    return first == last;
}

static int guarded_is_untouched_around(const guarded_t *guarded) {
    const unsigned char *first = guarded->pages + kPage;
    return is_poison(first, guarded->data) &&
           is_poison(guarded->data + guarded->bytes, first + guarded->usable);
}

#endif /* SEPCONV_TESTS_CROSS_GUARDED_PAGES_H_ */
