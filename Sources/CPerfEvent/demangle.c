#include "CDemangle.h"

#include <stddef.h>

// Part of the Itanium C++ ABI; its header, cxxabi.h, is for C++ only.
char *__cxa_demangle(const char *name, char *buffer, size_t *length, int *status);

char *cperf_demangle(const char *name) {
  // Without the prefix the runtime would take the name for a type ("f" for float).
  if (name[0] != '_' || name[1] != 'Z') return NULL;
  int status = -1;
  return __cxa_demangle(name, NULL, NULL, &status);
}
