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

// Keeps what was learnt of up to `entries` instructions, for all threads that use the space.
static inline int cunw_cache(unw_addr_space_t space, unsigned long entries) {
  int result = unw_set_caching_policy(space, UNW_CACHE_GLOBAL);
  return result < 0 ? result : unw_set_cache_size(space, entries, 0);
}

static inline int cunw_init(unw_cursor_t *cursor, unw_addr_space_t space, void *argument) {
  return unw_init_remote(cursor, space, argument);
}

static inline int cunw_step(unw_cursor_t *cursor) { return unw_step(cursor); }

static inline int cunw_instruction_pointer(unw_cursor_t *cursor, unw_word_t *value) {
  return unw_get_reg(cursor, UNW_REG_IP, value);
}

static inline int cunw_stack_pointer(unw_cursor_t *cursor, unw_word_t *value) {
  return unw_get_reg(cursor, UNW_REG_SP, value);
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
