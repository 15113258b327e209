/// What the kernel does differently on arm64, one file per hook; the twin of ``X86_64``.
@usableFromInline enum AArch64 {}
