// The C shim for perf_event_open, its rings, and the few libc calls Swift cannot make itself.
#ifndef CPERFEVENT_H
#define CPERFEVENT_H
#include "CDemangle.h"
#include <linux/perf_event.h>
#endif
