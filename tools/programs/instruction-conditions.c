// All sixteen conditional jumps, short and near, taken and not taken, with probes on the jump and
// on both places it can go to.
//
// Probes: uprobe:PROGRAM:p_jo uprobe:PROGRAM:p_jo_not uprobe:PROGRAM:p_jo_taken uprobe:PROGRAM:p_jno uprobe:PROGRAM:p_jno_not uprobe:PROGRAM:p_jno_taken uprobe:PROGRAM:p_jb uprobe:PROGRAM:p_jb_not uprobe:PROGRAM:p_jb_taken uprobe:PROGRAM:p_jnb uprobe:PROGRAM:p_jnb_not uprobe:PROGRAM:p_jnb_taken uprobe:PROGRAM:p_je uprobe:PROGRAM:p_je_not uprobe:PROGRAM:p_je_taken uprobe:PROGRAM:p_jne uprobe:PROGRAM:p_jne_not uprobe:PROGRAM:p_jne_taken uprobe:PROGRAM:p_jbe uprobe:PROGRAM:p_jbe_not uprobe:PROGRAM:p_jbe_taken uprobe:PROGRAM:p_ja uprobe:PROGRAM:p_ja_not uprobe:PROGRAM:p_ja_taken uprobe:PROGRAM:p_js uprobe:PROGRAM:p_js_not uprobe:PROGRAM:p_js_taken uprobe:PROGRAM:p_jns uprobe:PROGRAM:p_jns_not uprobe:PROGRAM:p_jns_taken uprobe:PROGRAM:p_jp uprobe:PROGRAM:p_jp_not uprobe:PROGRAM:p_jp_taken uprobe:PROGRAM:p_jnp uprobe:PROGRAM:p_jnp_not uprobe:PROGRAM:p_jnp_taken uprobe:PROGRAM:p_jl uprobe:PROGRAM:p_jl_not uprobe:PROGRAM:p_jl_taken uprobe:PROGRAM:p_jnl uprobe:PROGRAM:p_jnl_not uprobe:PROGRAM:p_jnl_taken uprobe:PROGRAM:p_jle uprobe:PROGRAM:p_jle_not uprobe:PROGRAM:p_jle_taken uprobe:PROGRAM:p_jg uprobe:PROGRAM:p_jg_not uprobe:PROGRAM:p_jg_taken uprobe:PROGRAM:p_end
// Expect-unprobed: exit 0
// Expect-probed-6.18: exit 0
// Observed-6.18: E jo, E jo_not, E jo_taken, E jno, E jno_taken, E jb, E jb_not, E jb_taken, E jnb, E jnb_taken, E je, E je_not, E je_taken, E jne, E jne_taken, E jbe, E jbe_not, E jbe_taken, E ja, E ja_taken, E js, E js_not, E js_taken, E jns, E jns_taken, E jp, E jp_not, E jp_taken, E jnp, E jnp_taken, E jl, E jl_not, E jl_taken, E jnl, E jnl_taken, E jle, E jle_not, E jle_taken, E jg, E jg_taken, E end, E jo, E jo_not, E jo_taken, E jno, E jno_taken, E jb, E jb_taken, E jnb, E jnb_not, E jnb_taken, E je, E je_not, E je_taken, E jne, E jne_taken, E jbe, E jbe_taken, E ja, E ja_not, E ja_taken, E js, E js_not, E js_taken, E jns, E jns_taken, E jp, E jp_not, E jp_taken, E jnp, E jnp_taken, E jl, E jl_not, E jl_taken, E jnl, E jnl_taken, E jle, E jle_not, E jle_taken, E jg, E jg_taken, E end, E jo, E jo_not, E jo_taken, E jno, E jno_taken, E jb, E jb_not, E jb_taken, E jnb, E jnb_taken, E je, E je_not, E je_taken, E jne, E jne_taken, E jbe, E jbe_not, E jbe_taken, E ja, E ja_taken, E js, E js_not, E js_taken, E jns, E jns_taken, E jp, E jp_taken, E jnp, E jnp_not, E jnp_taken, E jl, E jl_not, E jl_taken, E jnl, E jnl_taken, E jle, E jle_not, E jle_taken, E jg, E jg_taken, E end, E jo, E jo_not, E jo_taken, E jno, E jno_taken, E jb, E jb_not, E jb_taken, E jnb, E jnb_taken, E je, E je_taken, E jne, E jne_not, E jne_taken, E jbe, E jbe_taken, E ja, E ja_not, E ja_taken, E js, E js_not, E js_taken, E jns, E jns_taken, E jp, E jp_not, E jp_taken, E jnp, E jnp_taken, E jl, E jl_not, E jl_taken, E jnl, E jnl_taken, E jle, E jle_taken, E jg, E jg_not, E jg_taken, E end, E jo, E jo_not, E jo_taken, E jno, E jno_taken, E jb, E jb_not, E jb_taken, E jnb, E jnb_taken, E je, E je_not, E je_taken, E jne, E jne_taken, E jbe, E jbe_not, E jbe_taken, E ja, E ja_taken, E js, E js_taken, E jns, E jns_not, E jns_taken, E jp, E jp_not, E jp_taken, E jnp, E jnp_taken, E jl, E jl_taken, E jnl, E jnl_not, E jnl_taken, E jle, E jle_taken, E jg, E jg_not, E jg_taken, E end, E jo, E jo_taken, E jno, E jno_not, E jno_taken, E jb, E jb_not, E jb_taken, E jnb, E jnb_taken, E je, E je_not, E je_taken, E jne, E jne_taken, E jbe, E jbe_not, E jbe_taken, E ja, E ja_taken, E js, E js_not, E js_taken, E jns, E jns_taken, E jp, E jp_not, E jp_taken, E jnp, E jnp_taken, E jl, E jl_taken, E jnl, E jnl_not, E jnl_taken, E jle, E jle_taken, E jg, E jg_not, E jg_taken, E end, E jo, E jo_taken, E jno, E jno_not, E jno_taken, E jb, E jb_not, E jb_taken, E jnb, E jnb_taken, E je, E je_not, E je_taken, E jne, E jne_taken, E jbe, E jbe_not, E jbe_taken, E ja, E ja_taken, E js, E js_taken, E jns, E jns_not, E jns_taken, E jp, E jp_not, E jp_taken, E jnp, E jnp_taken, E jl, E jl_not, E jl_taken, E jnl, E jnl_taken, E jle, E jle_not, E jle_taken, E jg, E jg_taken, E end, E jo, E jo_taken, E jno, E jno_not, E jno_taken, E jb, E jb_taken, E jnb, E jnb_not, E jnb_taken, E je, E je_taken, E jne, E jne_not, E jne_taken, E jbe, E jbe_taken, E ja, E ja_not, E ja_taken, E js, E js_taken, E jns, E jns_not, E jns_taken, E jp, E jp_taken, E jnp, E jnp_not, E jnp_taken, E jl, E jl_not, E jl_taken, E jnl, E jnl_taken, E jle, E jle_taken, E jg, E jg_not, E jg_taken, E end
#include "instructions.h"

#if RETURN_SLOT_ON_STACK

// All sixteen conditional jumps one after the other, with the given flags.
void do_conditions(long flags);

CODE(do_conditions,
     "  pushq %rdi\n"
     "  popfq\n"
     P(jo) "  jo p_jo_taken\n"
     P(jo_not) "  nop\n"
     P(jo_taken) "  nop\n"
     P(jno) "  jno p_jno_taken\n"
     P(jno_not) "  nop\n"
     P(jno_taken) "  nop\n"
     P(jb) "  {disp32} jb p_jb_taken\n"
     P(jb_not) "  nop\n"
     P(jb_taken) "  nop\n"
     P(jnb) "  jnb p_jnb_taken\n"
     P(jnb_not) "  nop\n"
     P(jnb_taken) "  nop\n"
     P(je) "  je p_je_taken\n"
     P(je_not) "  nop\n"
     P(je_taken) "  nop\n"
     P(jne) "  {disp32} jne p_jne_taken\n"
     P(jne_not) "  nop\n"
     P(jne_taken) "  nop\n"
     P(jbe) "  jbe p_jbe_taken\n"
     P(jbe_not) "  nop\n"
     P(jbe_taken) "  nop\n"
     P(ja) "  ja p_ja_taken\n"
     P(ja_not) "  nop\n"
     P(ja_taken) "  nop\n"
     P(js) "  {disp32} js p_js_taken\n"
     P(js_not) "  nop\n"
     P(js_taken) "  nop\n"
     P(jns) "  jns p_jns_taken\n"
     P(jns_not) "  nop\n"
     P(jns_taken) "  nop\n"
     P(jp) "  jp p_jp_taken\n"
     P(jp_not) "  nop\n"
     P(jp_taken) "  nop\n"
     P(jnp) "  {disp32} jnp p_jnp_taken\n"
     P(jnp_not) "  nop\n"
     P(jnp_taken) "  nop\n"
     P(jl) "  jl p_jl_taken\n"
     P(jl_not) "  nop\n"
     P(jl_taken) "  nop\n"
     P(jnl) "  jnl p_jnl_taken\n"
     P(jnl_not) "  nop\n"
     P(jnl_taken) "  nop\n"
     P(jle) "  {disp32} jle p_jle_taken\n"
     P(jle_not) "  nop\n"
     P(jle_taken) "  nop\n"
     P(jg) "  jg p_jg_taken\n"
     P(jg_not) "  nop\n"
     P(jg_taken) "  nop\n"
     P(end) "  ret\n");

int main(void) {
  // No flag, each of carry, parity, zero, sign and overflow alone, and two that cancel out.
  static const long flags[] = {0x2, 0x3, 0x6, 0x42, 0x82, 0x802, 0x882, 0x8c7};
  for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++)
    do_conditions(flags[i]);
  return 0;
}

#else
NOT_ON_THIS_ARCHITECTURE()
#endif
