/// What the kernel does differently on x86-64, one file per hook; the twin of ``AArch64``.
@usableFromInline enum X86_64 {}
