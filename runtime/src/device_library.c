#include <string.h>

#include "device.h"

#if defined(_WIN32)
#include <windows.h>

static void *open_library(const char *name) {
    return (void *)LoadLibraryA(name);
}

static void *find_symbol(void *library, const char *name) {
    void *symbol = NULL;
    const FARPROC function = GetProcAddress((HMODULE)library, name);
    memcpy(&symbol, &function, sizeof(symbol));
    return symbol;
}

/* Once loaded it stays. */
void sepconv_library_close(void *library) {
    (void)library;
}

#else
#include <dlfcn.h>

#if !defined(RTLD_NODELETE)
#define RTLD_NODELETE 0
#endif

static void *open_library(const char *name) {
    return dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

static void *find_symbol(void *library, const char *name) {
    return dlsym(library, name);
}

void sepconv_library_close(void *library) {
    if (library != NULL) {
        dlclose(library);
    }
}

#endif

sepconv_status_t sepconv_library_open(const char *const names[], const sepconv_symbol_t symbols[],
                                      int symbol_count, void *table, void **library) {
    *library = NULL;
    for (int i = 0; names[i] != NULL && *library == NULL; ++i) {
        *library = open_library(names[i]);
    }
    if (*library == NULL) {
        return SEPCONV_NO_DEVICE;
    }
    for (int i = 0; i < symbol_count; ++i) {
        void *symbol = find_symbol(*library, symbols[i].name);
        if (symbol == NULL) {
            return SEPCONV_DEVICE_TOO_OLD;
        }
        /* A pointer to an object becomes one to a function, as POSIX has it. */
        memcpy((uint8_t *)table + symbols[i].offset, &symbol, sizeof(symbol));
    }
    return SEPCONV_OK;
}
