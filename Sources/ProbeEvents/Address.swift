/// A virtual address in a target's user address space.
public typealias Address = UInt64
