// C++ names to people's names, through the C++ runtime that the toolchain links anyway.
#ifndef CDEMANGLE_H
#define CDEMANGLE_H

// The demangled form of a mangled C++ name, to be freed with free(); NULL when the name is not one
// or its demangled form cannot be made.
char *cperf_demangle(const char *name);

#endif
