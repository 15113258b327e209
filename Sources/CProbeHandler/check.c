/* The header is the target: nothing to compile but its own consistency. */
#include "probe_handler.h"

_Static_assert(sizeof(struct probe_entry) == 56, "layout is part of the interface");
