#ifndef PROBETAPE_CUNWIND_H
#define PROBETAPE_CUNWIND_H

#include <libunwind.h>

// libunwind names its functions by macros with the architecture in them, which Swift cannot import.

// Looks an instruction up in a table of unwind entries. Exported by libunwind for unwinding other
// processes, but in no header.
#define cunw_search_table_symbol UNW_OBJ(dwarf_search_unwind_table)
extern int cunw_search_table_symbol(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *table,
                                    unw_proc_info_t *info, int need_unwind_info, void *argument);

static inline unw_addr_space_t cunw_create_space(unw_accessors_t *accessors) {
  return unw_create_addr_space(accessors, 0);
}

static inline void cunw_destroy_space(unw_addr_space_t space) { unw_destroy_addr_space(space); }

// Keeps nothing of what was learnt: libunwind's own cache goes by the address alone, and a frame that
// is about to run an instruction there may have other rules than one that a call returns to.
static inline int cunw_forget(unw_addr_space_t space) {
  return unw_set_caching_policy(space, UNW_CACHE_NONE);
}

static inline int cunw_init(unw_cursor_t *cursor, unw_addr_space_t space, void *argument) {
  return unw_init_remote(cursor, space, argument);
}

static inline int cunw_step(unw_cursor_t *cursor) { return unw_step(cursor); }

// A register of the frame that the cursor is at, by DWARF's number (16 is the instruction pointer).
static inline int cunw_register(unw_cursor_t *cursor, int number, unw_word_t *value) {
  return unw_get_reg(cursor, number, value);
}

// Looks an instruction up in an `.eh_frame_hdr` table: pairs of 32-bit numbers relative to
// `header`, `words` 8-byte words of them at `table`, for the code from `start` to `end`.
static inline int cunw_search_table(unw_addr_space_t space, unw_word_t ip, unw_word_t start,
                                    unw_word_t end, unw_word_t header, unw_word_t table,
                                    unw_word_t words, unw_proc_info_t *info, int need_unwind_info,
                                    void *argument) {
  unw_dyn_info_t description = {0};
  description.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  description.start_ip = start;
  description.end_ip = end;
  description.u.rti.segbase = header;
  description.u.rti.table_data = table;
  description.u.rti.table_len = words;
  return cunw_search_table_symbol(space, ip, &description, info, need_unwind_info, argument);
}

#endif
